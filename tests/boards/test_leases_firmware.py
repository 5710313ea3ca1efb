"""A wish may ask for the firmware that boards can be given, whatever runs on them now."""

from pathlib import Path
from typing import Any

import pytest

from commander.boards import views
from commander.effects import Refused
from sentry.boards.settings import BoardSettings
from sentry.boards.versions import versions
from tests.boards.board_farm import FIRMWARE, BoardFarm


@pytest.fixture
def farm() -> BoardFarm:
    """g has another version of the one that counts pulses."""
    made = BoardFarm(h=2, g=1)
    made.firmware["g"] = FIRMWARE | {"pulse_count": "p2"}
    made.report("g")
    return made


def test_by_name_and_by_version(farm: BoardFarm) -> None:
    def free(firmware: str) -> list[str]:
        return views.available(farm.farm, {"firmware": firmware}, "pulsecount", farm.now)

    assert free("pulse_count") == ["g-0", "h-0", "h-1"]
    assert free("pulse_count@p1") == ["h-0", "h-1"]
    assert free("pulse_count@p") == free("p1") == []
    assert list(farm.reserve(selector={"firmware": "pulse_count@p2"})["boards"]) == ["g-0"]
    (shown, *_) = views.board_list(farm.farm, farm.now)
    assert (shown["firmware"], shown["firmwares"]) == ("default", ["default@d1", "pulse_count@p2", "variance@v1"])


def test_one_that_is_leased_is_waited_for(farm: BoardFarm) -> None:
    lease = farm.reserve("ann", 3)["id"]
    for node in ("h", "g"):
        farm.report(node, **{name.replace("-", "_"): {"firmware": "pulse_count"} for name in farm.said[node]})
    waiting = farm.reserve("bob", selector={"firmware": "default"})["id"]
    assert farm.state_of(waiting) == "waiting"
    farm.end("ann", lease)
    farm.settle()
    assert farm.state_of(waiting) == "active"


def test_what_nobody_has_is_refused_with_what_there_is(farm: BoardFarm) -> None:
    with pytest.raises(Refused) as error:
        farm.reserve(selector={"firmware": "pulse_count@p3"})
    there = "default@d1, pulse_count@p1, pulse_count@p2, variance@v1"
    assert (error.value.field, error.value.problem) == (
        "selector.firmware",
        f"no sentry has pulse_count@p3; allowed: {there}",
    )


@pytest.mark.parametrize("told", [None, [], "default", {"default": 7, "pulse_count": None}, {}])
def test_whatever_a_sentry_says(farm: BoardFarm, told: Any) -> None:
    farm.firmware["h"] = told
    farm.report("h")
    assert set(farm.reserve(count=3)["boards"]) == {"g-0", "h-0", "h-1"}
    assert {row["serial"] for row in views.board_list(farm.farm, farm.now) if row["firmwares"]} == {"g-0"}


def test_a_version_is_of_the_content(tmp_path: Path) -> None:
    uf2, program, beside = (tmp_path / name for name in ("default.uf2", "count.py", "receiving.py"))
    uf2.write_bytes(b"one")
    program.write_text("from receiving import serve\nserve()\n")
    beside.write_text("def serve(): print(1)\n")
    files = {"default": uf2, "count": program, "gone": tmp_path / "gone.uf2"}
    settings = BoardSettings(firmware=files)
    first = versions(settings)
    assert first["default"] == "7692c3ad", "as sha256sum says"
    assert sorted(first) == ["count", "default"]
    assert versions(settings) == first
    beside.write_text("def serve(): print(2)\n")
    uf2.write_bytes(b"other")
    second = versions(settings)
    assert (second["default"], second["count"]) != (first["default"], first["count"])
    assert second["count"] != first["count"]
