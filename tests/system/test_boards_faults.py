"""What happens to boards and their sentry while a batch is evaluated: each evaluation has one result, a true count or
the reason why there is none; the other boards go on; in the end all are ready again.
"""

import logging
import os
import resource
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from farmhand_client import EvaluationFailed, PulseCountClient, PulseCountEvaluation

from sentry.boards.virtual.bus import ask
from tests.boards.circuits import answer_before, need_tools, pulses, write_dividers
from tests.support.farms import HOUSE, HTTP
from tests.system.farm import Farm, wait_for

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

ROUNDS = int(float(os.environ.get("FARMHAND_TEST_SCALE", "1")))
BOARDS = 4
DIVIDERS = (7, 100)
KILLS = min(ROUNDS, 4)  # in a row: after each, `farmhand up` takes longer to start the sentry again
SHORT = {"RESULT_S": "6", "BOOTLOADER_S": "6", "HEAL_S": "1", "REPORT_S": "0.2", "LOOK_S": "0.1"}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    need_tools()
    return write_dividers(tmp_path_factory.mktemp("bits"), DIVIDERS)


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory, files: dict[int, Path]) -> Iterator[Farm]:
    short = {f"FARMHAND_BOARD_{name}": value for name, value in SHORT.items()}
    found = Farm(tmp_path_factory.mktemp("faults") / "state", HOUSE + HTTP, **short)
    answer_before(found.state / "boards", [path.read_bytes() for path in files.values()])
    with found.up("--boards", str(BOARDS)):
        yield found


@pytest.fixture
def client(farm: Farm) -> Iterator[PulseCountClient]:
    """Has all boards; in the end all of them are ready for the next."""
    with PulseCountClient(farm.api.url, "faults", logging.getLogger("test"), key=farm.api.key) as made:
        made.reserve(BOARDS, wait_for_available=True)
        yield made
    wait_for("all boards ready", lambda: farm.api.get("/boards/available")["count"] == BOARDS)


class Batch:
    """``counts``: how many evaluations each board gets, of the circuits in turn."""

    def __init__(self, client: PulseCountClient, files: dict[int, Path], counts: dict[str, int]) -> None:
        self._true = {path: pulses(by) for by, path in files.items()}
        paths = list(files.values())
        given = [
            PulseCountEvaluation(serial, paths[number % len(paths)])
            for serial, count in counts.items()
            for number in range(count)
        ]
        self.open = set(given)
        self.told = {serial: list[Any]() for serial in counts}
        """By board: what came, a count that is true or the reason why there is none."""
        self._results = client.evaluate_evaluations(given, progress=False)

    def __iter__(self) -> Iterator[str]:
        """The board of each result, once it is looked at."""
        for serial, evaluation, value in self._results:
            self.open.remove(evaluation)
            if isinstance(value, EvaluationFailed):
                self.told[serial].append(value.problem)
            else:
                assert value == self._true[evaluation.filepath]
                self.told[serial].append(value)
            yield serial
        assert not self.open

    def problems(self, serial: str) -> list[str]:
        return [each for each in self.told[serial] if isinstance(each, str)]


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_boards_break_in_three_ways_and_the_fourth_goes_on(
    farm: Farm, client: PulseCountClient, files: dict[int, Path], turn: int
) -> None:
    serials = sorted(client.get_serials())
    hangs, silent, unplugged, well = (serials[(turn + number) % BOARDS] for number in range(BOARDS))
    bus = farm.state / "boards"
    # More than wait for a board at a time: what is left of them is evaluated once it is well again.
    batch = Batch(client, files, {hangs: 22, silent: 8, unplugged: 22, well: 10})
    healthy = True
    for serial in batch:
        if healthy and all(batch.told.values()):
            healthy = False
            ask(bus, "hang", hangs)
            ask(bus, "no-answer", silent)
            ask(bus, "unplug", unplugged)
            wait_for("the board gone", lambda: unplugged not in boards(farm))
            ask(bus, "plug", unplugged)
        elif serial == silent and batch.problems(silent):
            ask(bus, "heal", silent)
        elif serial == hangs and len(batch.problems(hangs)) == 1:
            wait_for("the board given up", lambda: boards(farm)[hangs] in ("broken", "quarantine"))
            ask(bus, "power-cycle", hangs)
    reasons = {
        hangs: ("no answer within 6 s", "took no bitstream within 6 s", "the bootloader's disk did not appear"),
        silent: ("no answer within 6 s",),
        unplugged: ("unplugged", "its tty is gone"),
    }
    for serial, allowed in reasons.items():
        assert batch.problems(serial)
        assert [each for each in batch.problems(serial) if not any(reason in each for reason in allowed)] == []
        assert isinstance(batch.told[serial][-1], int), "it is not well again"
    assert batch.problems(well) == []
    assert failing(farm) <= {hangs, unplugged}


def test_what_an_unplugged_board_had_goes_to_the_others(
    farm: Farm, client: PulseCountClient, files: dict[int, Path]
) -> None:
    true = {path: pulses(by) for by, path in files.items()}
    bus = farm.state / "boards"
    given = list(true) * 12
    results = client.evaluate_bitstreams(given, spread=True, progress=False)
    unplugged, path, value = next(results)
    ask(bus, "unplug", unplugged)
    wait_for("the board gone", lambda: unplugged not in boards(farm))
    ask(bus, "plug", unplugged)
    told: list[tuple[Path, Any]] = [(path, value), *((path, value) for _, path, value in results)]
    assert sorted(told) == sorted((path, true[path]) for path in given)
    rows = farm.api.get("/boards/results", serial=unplugged, limit=100)["items"]
    assert [row["cause"] for row in rows if row["problem"]], "it had none"
    assert {row["cause"] for row in rows if row["problem"]} == {"board"}


def boards(farm: Farm) -> dict[str, str]:
    """What each board that is plugged in is doing."""
    return {each["serial"]: each["state"] for each in farm.api.get("/boards")["items"]}


def failing(farm: Farm) -> set[str]:
    """Boards of the lease that holds now of which a failure was told."""
    (lease,) = farm.api.get("/boards/leases", state="active")["items"]
    return {each["serial"] for each in farm.api.get("/boards/history", lease=lease["id"], what="failure")["items"]}


@pytest.mark.parametrize("turn", range(KILLS))
def test_a_sentry_killed_while_it_has_a_call(
    farm: Farm, client: PulseCountClient, files: dict[int, Path], turn: int
) -> None:
    """Nobody will ever answer that call."""
    pid = farm.pid("sentry-boards")
    batch = Batch(client, files, dict.fromkeys(client.get_serials(), 3))
    os.kill(pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as beside:
        counted = beside.submit(lambda: sum(1 for _ in batch))
        wait_for("a call for each board", lambda: len(calls_under_way(farm)) == BOARDS)
        os.kill(pid, signal.SIGKILL)
        assert counted.result(60) == 3 * BOARDS
    assert [batch.problems(serial) for serial in batch.told] == [[]] * BOARDS


def calls_under_way(farm: Farm) -> list[dict[str, Any]]:
    rows = farm.api.get("/commands", node="boards", limit=1000)["items"]
    return [row for row in rows if row["name"] == "board-call" and row["status"] in ("sent", "accepted")]


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_a_full_disk_at_the_sentry(farm: Farm, client: PulseCountClient, files: dict[int, Path], turn: int) -> None:
    """What is under way is told once there is room again; what would need room is refused."""
    *serials, given_back = sorted(client.get_serials())
    pid = farm.pid("sentry-boards")
    batch = Batch(client, files, dict.fromkeys(serials, 4))
    results = iter(batch)
    while not all(batch.told.values()):  # then each of them has its files
        next(results)
    unlimited = resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    try:
        late = Batch(client, files, {serials[0]: 2})
        assert sum(1 for _ in late) == 2
        assert len(late.problems(serials[0])) == 2
        assert "disk" in late.problems(serials[0])[0]
        client.end([given_back])
        ping = farm.api.command("boards", "ping", {}, 30)  # comes after the document that gives the board back
        assert (ping["status"], ping["code"]) == ("refused", "disk")
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, unlimited)
    list(results)
    assert [batch.problems(serial) for serial in serials] == [[]] * len(serials)
    wait_for("the board that was given back", lambda: boards(farm)[given_back] == "ready")
    assert failing(farm) == set()


@pytest.mark.parametrize("part", ["sentry-boards", "commander", "broker"])
def test_after_kill_9_every_result_comes_once(
    farm: Farm, client: PulseCountClient, files: dict[int, Path], part: str
) -> None:
    batch = Batch(client, files, dict.fromkeys(client.get_serials(), 6 * ROUNDS))
    for number, _ in enumerate(batch):
        if number % 72 == 2:
            os.kill(farm.mosquitto("house") if part == "broker" else farm.pid(part), signal.SIGKILL)
    assert [batch.problems(serial) for serial in batch.told] == [[]] * BOARDS
