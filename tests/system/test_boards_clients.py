"""Twenty programs want eight boards at once: no board has two owners, everyone is served, and in his turn."""

import itertools
import logging
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from farmhand_client import PulseCountClient

from tests.boards.circuits import answer_before, need_tools, pulses, write_dividers
from tests.support.farms import HOUSE, HTTP
from tests.system.board_turns import Turn, Turns
from tests.system.farm import Farm, wait_for

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

SCALE = float(os.environ.get("FARMHAND_TEST_SCALE", "1"))
BOARDS = 8
ASKING_S = 12 * SCALE
HELD_S = 1.5
DIVIDERS = (7, 100)
ALONE = [f"user-{n}" for n in range(12)]
"""Equal users: one program each, which wants one board."""
WITH_TWO = [f"group-{n}" for n in range(4)]
"""One key each for two programs, of which the second wants two boards at once."""


class Had(NamedTuple):
    """What a client saw: this board was its own for so long (monotonic seconds)."""

    serial: str
    begun: float
    ended: float


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    need_tools()
    return write_dividers(tmp_path_factory.mktemp("bits"), DIVIDERS)


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory, files: dict[int, Path]) -> Iterator[Farm]:
    quick = {"FARMHAND_BOARD_REPORT_S": "0.2", "FARMHAND_BOARD_LOOK_S": "0.1"}
    found = Farm(tmp_path_factory.mktemp("fight") / "state", HOUSE + HTTP, **quick)
    answer_before(found.state / "boards", [path.read_bytes() for path in files.values()])
    with found.up("--boards", str(BOARDS)):
        yield found


class Program:
    """Reserves, evaluates or just holds, gives back; again and again until the time is up."""

    numbers = itertools.count()

    def __init__(self, farm: Farm, key: str, name: str, boards: int, files: dict[int, Path]) -> None:
        self.number = next(self.numbers)
        self._client = PulseCountClient(farm.api.url, name, logging.getLogger("test"), key=key)
        self._boards, self._files = boards, files

    def run(self, ends: float) -> list[Had]:
        seen: list[Had] = []
        turns = itertools.count(self.number)
        with self._client as client:
            while time.monotonic() < ends:
                serials = client.reserve(self._boards, wait_for_available=True, available_timeout=120)
                begun = time.monotonic()
                if (turn := next(turns)) % 2:
                    self._evaluate(DIVIDERS[turn // 2 % len(DIVIDERS)], serials)
                time.sleep(max(0.0, begun + HELD_S - time.monotonic()))
                seen += [Had(serial, begun, time.monotonic()) for serial in serials]
                assert sorted(client.end(serials)) == sorted(serials)
        return seen

    def _evaluate(self, by: int, serials: list[str]) -> None:
        found = {each.serial: each.value for each in self._client.evaluate_bitstreams([self._files[by]])}
        assert found == dict.fromkeys(serials, pulses(by))


def history(farm: Farm) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    while page := farm.api.get("/boards/history", after=rows[-1]["id"] if rows else 0, limit=1000)["items"]:
        rows += page
    return rows


def longest(spans: list[int]) -> int:
    return max(spans, default=0)


def test_twenty_programs_share_eight_boards_in_their_turns(farm: Farm, files: dict[int, Path]) -> None:
    keys = {user: farm.api.post("/keys", {"name": user, "role": "operator"})["key"] for user in (*ALONE, *WITH_TWO)}
    programs = [Program(farm, keys[user], "program", 1, files) for user in (*ALONE, *WITH_TWO)]
    programs += [Program(farm, keys[user], "other program", 2, files) for user in WITH_TWO]
    with ThreadPoolExecutor(len(programs)) as pool:
        ends = time.monotonic() + ASKING_S
        running = [pool.submit(each.run, ends) for each in programs]
    seen = [each.result() for each in running]
    assert all(seen), "somebody was never served"
    by_board = sorted(had for each in seen for had in each)
    for one, other in itertools.pairwise(by_board):
        assert one.serial != other.serial or one.ended <= other.begun, "two clients had one board"
    assert {had.serial for had in by_board} == {each["serial"] for each in farm.api.get("/boards")["items"]}

    turns = Turns(history(farm))  # no two owners, and always the one who was next
    assert turns.owners == {}
    equal = [each for each in turns.of.values() if each.user in ALONE]
    for each in equal:
        passed_by_equals(each)
    # Whoever gets a board before one who waits had at most as much more as he waited longer; then he has his turn.
    bound = longest([each.begun - each.asked for each in equal]) + longest([each.ended - each.begun for each in equal])
    had = {user: sum(each.ended - each.begun for each in equal if each.user == user) for user in ALONE}
    assert max(had.values()) - min(had.values()) <= bound, had

    leases = farm.api.get("/boards/leases", limit=1000)["items"]
    assert {each["state"] for each in leases} == {"ended"}
    wait_for("all boards free", lambda: farm.api.get("/boards/available")["count"] == BOARDS)


def passed_by_equals(turn: Turn) -> None:
    """While he waits another may go first who has had less, or has waited for longer; a second time only one who has
    had less still, because that one's next wish is younger than his."""
    mine = turn.had_when_asked[turn.user]
    for user, times in turn.passed.items():
        if user in ALONE and turn.had_when_asked.get(user, 0.0) >= mine:
            assert times <= 1, f"{user} passed {turn} {times} times"
