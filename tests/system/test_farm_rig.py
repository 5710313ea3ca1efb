"""`farmhand up --rig 3`: real firmware on simulated AVRs, MicroPython, two bridged brokers, gateway and pool mine
together."""

import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.avr.conftest import firmware
from tests.system.farm import Farm, farmhand, wait_for

# The simulator wants a core for itself, which it does not always get.
pytestmark = [pytest.mark.broker, pytest.mark.micropython, pytest.mark.timeout(400)]

SLAVES = ("avr-11", "avr-12", "avr-13")
MINED = 9
PATIENCE_S = 180  # on a machine that may simulate slower than real time


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    firmware()
    # ARM: a job takes some 2 s.
    farm = Farm(tmp_path_factory.mktemp("rig") / "state", FARMHAND_POOL_TIER="ARM").up("--rig", "3")
    yield farm
    farm.end()


def pool(farm: Farm) -> dict[str, Any]:
    """What the pool itself says."""
    address = (farm.state / "run" / "pool.log").read_text().split()[2].rstrip(",")
    done = farmhand("pool", "stats", "--port", address.rpartition(":")[2], "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def figures(farm: Farm) -> dict[str, dict[str, Any]]:
    """Device -> latest figures of its part `slave`, as the commander has them."""
    latest = farm.node("esp-1")["latest"]
    return {device: latest[device]["slave"] for device in latest if "slave" in latest[device]}


def test_the_rig_mines_for_the_pool_without_a_bad_share(farm: Farm) -> None:
    wait_for("accepted shares", lambda: pool(farm)["accepted"] >= MINED, PATIENCE_S)
    chips = {f"DUCOID{number:016X}" for number in range(0xFA12000000000001, 0xFA12000000000004)}
    wait_for("all of them", lambda: {each["chip"] for each in pool(farm)["workers"].values()} == chips, PATIENCE_S)
    assert pool(farm)["refused"] == 0
    wait_for("figures of all slaves", lambda: set(figures(farm)) == set(SLAVES))
    wait_for("their shares", lambda: sum(each["accepted"] for each in figures(farm).values()) >= MINED)
    for each in figures(farm).values():
        assert 3500 < each["hashrate"] < 4300, each
        assert each["refused"] == each["stale"] == 0
        assert each["server"] in "RJKEG"
    shown = farmhand("rig", "show", "esp-1", "--json", "--state", str(farm.state))
    assert shown.returncode == 0, shown.stderr
    rig = json.loads(shown.stdout)
    assert [each["device"] for each in rig["slaves"]] == list(SLAVES)
    assert rig["totals"]["here"] == 3
    assert rig["totals"]["accepted"] >= MINED
    for each in rig["slaves"]:
        assert (each["firmware"], f"DUCOID{each['chip']}" in chips) == ("AVR v1 16 MHz", True)
        assert each["pool"]["gateway"] == "host"
    for table in (("list",), ("show", "esp-1")):
        text = farmhand("rig", *table, "--state", str(farm.state), env={**os.environ, "COLUMNS": "120"}).stdout
        assert "esp-1" in text
        assert "3 of 3" in text
        assert "host" in text


@pytest.mark.parametrize("part", ["broker", "node", "gateway", "pool"])
def test_what_is_killed_costs_no_bad_share(farm: Farm, part: str) -> None:
    pids = {"node": "esp-1", "gateway": "sentry", "pool": "pool"}
    os.kill(farm.mosquitto("barn") if part == "broker" else farm.pid(pids[part]), signal.SIGKILL)
    # A pool that was killed counts from nothing.
    before = 0 if part == "pool" else pool(farm)["accepted"]
    wait_for("more accepted shares", lambda: _accepted(farm) >= before + 4, PATIENCE_S)
    assert pool(farm)["refused"] == 0


def _accepted(farm: Farm) -> int:
    try:
        return pool(farm)["accepted"]
    except AssertionError:  # it is starting
        return 0
