"""A virtual board that fails once, as users of the farm see it: broken, shaky, good again after `well_s`."""

from collections.abc import Iterator
from typing import Any

import pytest

from sentry.boards.virtual.bus import ask
from tests.boards.circuits import need_tools
from tests.support.farms import HOUSE, HTTP
from tests.system.farm import Farm, wait_for

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

WELL_S = 8
SHORT = {"BOOTLOADER_S": "3", "TEST_S": "6", "HEAL_S": "0.5", "FAILURES": "100", "REPORT_S": "0.1", "LOOK_S": "0.1"}


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    need_tools()
    short = {f"FARMHAND_BOARD_{name}": value for name, value in {**SHORT, "WELL_S": str(WELL_S)}.items()}
    found = Farm(tmp_path_factory.mktemp("health") / "state", HOUSE + HTTP, **short)
    try:
        yield found.up("--boards", "2")
    finally:
        found.end()


def test_shaky_until_it_has_worked_for_long_enough(farm: Farm) -> None:
    def health() -> dict[str, str]:
        return {row["serial"]: row["health"] for row in farm.api.get("/boards")["items"]}

    def lease(name: str) -> dict[str, Any]:
        return farm.api.get(f"/boards/leases/{name}")

    def times(what: str, **data: Any) -> list[int]:
        rows = farm.api.get("/boards/history", serial=one, what=what, after=0, limit=1000)["items"]
        return [row["ts"] for row in rows if data.items() <= row["data"].items()]

    one, two = sorted(health())
    assert health() == {one: "good", two: "good"}
    has = farm.api.get("/boards")["items"][0]["firmwares"]
    assert [each.partition("@")[0] for each in has] == ["default", "pulse_count", "variance"]
    bus = farm.state / "boards"
    ask(bus, "hang", one.upper())
    farm.api.post(f"/boards/{one}/do", {"do": "reboot"})
    wait_for("the failure", lambda: health()[one] == "broken")
    assert health()[two] == "good"
    selector = {"health": "good", "firmware": has[1]}
    picky = farm.api.post("/boards/leases", {"kind": "pulsecount", "count": 2, "selector": selector})
    easy = farm.api.post("/boards/leases", {"kind": "pulsecount", "serials": [one]})
    assert [picky["state"], easy["state"]] == ["waiting", "waiting"]
    began = len(times("state", to="ready"))
    ask(bus, "power-cycle", one.upper())
    wait_for("who asks for no health", lambda: lease(easy["id"])["state"] == "active")
    farm.api.post(f"/boards/leases/{easy['id']}/end", {})
    wait_for("its health", lambda: health()[one] == "shaky")
    begun = wait_for("who wants two good ones", lambda: lease(picky["id"])["begun"])
    passed = times("state", to="ready")[began]
    assert begun - passed > (WELL_S - 1) * 1000, "the time counts from a moment before it said so"
    assert health() == {one: "good", two: "good"}
