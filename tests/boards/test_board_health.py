"""A board that failed is shaky until it has worked for long enough: a real sentry of small boards, as the commander
hears it."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sentry.boards.health import Health
from sentry.boards.settings import BoardSettings
from tests.boards.board_host import BoardSentry, Told
from tests.boards.small_board import SmallBoard, firmware_files
from tests.sentry.rig import HouseBroker, Peer
from tests.support.waiting import PATIENCE

SERIAL = "e6616407e3"
LONG = 600.0

Make = Callable[..., tuple[Told, SmallBoard]]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """A sentry with its board, running and connected."""
    broker = HouseBroker(tmp_path / "broker")
    broker.start()
    commander = Peer(broker.port)
    board = SmallBoard(tmp_path / "bus", SERIAL)
    sentries: list[BoardSentry] = []

    def build(*faults: str, **settings: Any) -> tuple[Told, SmallBoard]:
        board.faults |= set(faults)
        board.plug()
        files = firmware_files(tmp_path / "firmware", "default", "pulse_count")
        sentries.append(BoardSentry(tmp_path / "sentry", tmp_path / "bus", files, **settings))
        sentries[0].enrolled(f"mqtt://127.0.0.1:{broker.port}", commander.verify)
        sentries[0].start()
        return Told(commander), board

    yield build
    for sentry in sentries:
        sentry.stop()
    board.unplug()
    commander.close()
    broker.stop()


def report(told: Told, rev: int, **wanted: Any) -> dict[str, Any]:
    """The board in the next report on that revision in which this stands; None: in which that is not there."""

    def found(data: Any) -> dict[str, Any]:
        return (data or {}).get("data", {}).get("boards", {}).get(SERIAL, {})

    def fits(data: Any) -> bool:
        row = found(data)
        return bool(row) and data["rev"] == rev and all(row.get(name) == value for name, value in wanted.items())

    return found(told.expect("self/reported/leases", fits))


@pytest.mark.broker
def test_it_fails_once_is_shaky_and_good_again(make: Make) -> None:
    told, board = make("silent", test_s=1, well_s=3)
    broken = report(told, 0, state="broken")
    assert (broken["failures"], broken["shaky"]) == (1, True)
    board.faults.clear()
    ready = report(told, 0, state="ready")
    assert (ready["shaky"], ready["firmware"]) == (True, "default")
    assert "problem" not in ready
    told.lease(1, {"serial": SERIAL, "lease": "l1", "kind": "pulsecount", "args": {}})
    good = report(told, 1, state="leased", shaky=None)
    assert "failures" not in good
    told.lease(2)
    assert "shaky" not in report(told, 2, state="ready")


@pytest.mark.broker
def test_out_of_quarantine_it_is_shaky_too(make: Make) -> None:
    told, board = make("silent", test_s=1, failures=1, well_s=LONG)
    assert report(told, 0, state="quarantine")["shaky"]
    board.faults.clear()
    ready = report(told, 0, state="ready")
    assert ready["shaky"]
    assert "failures" not in ready, "its next failure is the first in a row"


@pytest.mark.broker
def test_one_that_left_its_user_is_shaky_when_it_is_back(make: Make) -> None:
    told, board = make(well_s=LONG)
    assert "shaky" not in report(told, 0, state="ready")
    board.unplug()
    told.event(SERIAL, "unplugged")
    board.plug()
    told.event(SERIAL, "plugged")
    told.lease(1, {"serial": SERIAL, "lease": "l1", "kind": "pulsecount", "args": {}})
    assert "shaky" not in report(told, 1, state="leased"), "nobody had it when it was unplugged"
    board.unplug()
    told.event(SERIAL, "unplugged")
    board.plug()
    told.event(SERIAL, "plugged")
    again = report(told, 1, state="leased", shaky=True)
    assert "failures" not in again
    told.forget()
    told.command("board", "c1", {"serial": SERIAL, "do": "delete"})
    report(told, 1, state="leased", shaky=None)


def run(story: Callable[[Health, asyncio.Event], Any], **settings: Any) -> None:
    async def stage() -> None:
        changed = asyncio.Event()
        async with asyncio.timeout(PATIENCE):
            await story(Health(BoardSettings(**settings), changed.set), changed)

    asyncio.run(stage())


def test_time_forgets_failures_once_it_works() -> None:
    async def story(health: Health, changed: asyncio.Event) -> None:
        for count in (1, 2):
            health.on_failed()
            assert (health.failures, health.shaky) == (count, True)
        health.on_passed()
        assert (health.failures, health.shaky) == (2, True)
        await changed.wait()
        assert (health.failures, health.shaky) == (0, False)
        health.on_failed()
        assert health.failures == 1

    run(story, well_s=0.05)


def test_another_failure_begins_the_time_anew() -> None:
    async def story(health: Health, changed: asyncio.Event) -> None:
        health.on_failed()
        health.on_passed()
        health.on_failed()
        await asyncio.sleep(0.2)  # nothing is to happen however long it is broken, so there is nothing to wait for
        assert not changed.is_set()
        assert (health.failures, health.shaky) == (2, True)
        health.on_passed()
        await changed.wait()
        assert not health.shaky

    run(story, well_s=0.05)


def test_passing_again_does_not_lengthen_the_time() -> None:
    async def story(health: Health, changed: asyncio.Event) -> None:
        health.on_failed()
        began = asyncio.get_running_loop().time()
        while not changed.is_set():
            health.on_passed()  # as at the end of each lease
            await asyncio.sleep(0.01)
        assert asyncio.get_running_loop().time() - began >= 0.1

    run(story, well_s=0.1)


def test_one_without_failures_is_never_shaky() -> None:
    async def story(health: Health, changed: asyncio.Event) -> None:
        health.on_passed()
        await asyncio.sleep(0.05)  # nothing is to be told, so there is nothing to wait for
        assert not changed.is_set()
        assert (health.failures, health.shaky, health.in_quarantine) == (0, False, False)

    run(story, well_s=0.01)
