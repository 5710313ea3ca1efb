"""The client library against a farm with two virtual boards, or against any live one:

pytest tests/system/test_client*.py --url http://farm:8080 --key KEY
"""

import asyncio
import itertools
import logging
import os
import queue
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from farmhand_client import (
    AbstractEventHandler,
    AsyncPulseCountClient,
    BoardClient,
    EvaluationFailed,
    FarmError,
    PulseCountClient,
    PulseCountEvaluation,
    VarianceClient,
    register,
)

from tests.boards.circuits import need_tools, pulses, write_dividers
from tests.conftest import ROOT
from tests.support.farms import HOUSE, HTTP
from tests.system import tuner
from tests.system.farm import Farm

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

DIVIDERS = (7, 100, 12_000)
NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Farm | None]:
    """None: somebody else's."""
    need_tools()
    if request.config.getoption("--farmhand-url"):
        yield None
        return
    package = tmp_path_factory.mktemp("package")
    tuner.install(package)
    made = Farm(tmp_path_factory.mktemp("client") / "state", HOUSE + HTTP)
    made.environment["PYTHONPATH"] = os.pathsep.join([str(package), os.environ.get("PYTHONPATH", "")]).rstrip(
        os.pathsep
    )
    try:
        yield made.up("--boards", "2")
    finally:
        made.end()


@pytest.fixture(scope="module")
def place(farm: Farm | None, request: pytest.FixtureRequest) -> tuple[str, str | None]:
    """URL and key."""
    if farm:
        return farm.api.url, farm.api.key
    return request.config.getoption("--farmhand-url"), request.config.getoption("--farmhand-key")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Bitstreams by what they divide the clock by."""
    return write_dividers(tmp_path_factory.mktemp("bits"), DIVIDERS)


Make = Callable[..., Any]


@pytest.fixture
def client(place: tuple[str, str | None]) -> Iterator[Make]:
    """A client of this class, closed at the end with all boards given back."""
    made: list[BoardClient] = []

    def make(kind: type[BoardClient] = PulseCountClient) -> BoardClient:
        made.append(kind(place[0], f"test {os.getpid()} {next(NUMBERS)}", logging.getLogger("test"), key=place[1]))
        return made[-1]

    yield make
    for each in made:
        each.end_all()
        each.close()


def reserved(client: BoardClient, count: int, **more: Any) -> list[str]:
    return client.reserve(count, wait_for_available=True, available_timeout=120, **more)


def test_the_calls_of_the_original(client: Make, files: dict[int, Path], tmp_path: Path) -> None:
    mine = client()
    mine.reserve(1, wait_for_available=True, available_timeout=120)
    serial = mine.getSerials()[0]
    circuits = [str(path) for path in files.values()]
    values = {
        path: value for told, path, value in mine.evaluateBitstreams(circuits, serials=[serial]) if told == serial
    }
    assert values == {str(path): pulses(by) for by, path in files.items()}
    reserved(mine, 1)
    both = mine.getSerials()
    assert len(both) == 2
    commands = [PulseCountEvaluation(both, circuits[0]), PulseCountEvaluation(both[0], circuits[1])]
    (tmp_path / "short.bin").write_bytes(b"no bitstream")
    commands.append(PulseCountEvaluation(both[1], tmp_path / "short.bin"))
    found = {(each.serial, each.evaluation): each.value for each in mine.evaluateEvaluations(commands)}
    assert found.pop((both[1], commands[2])).problem.startswith("bitstream: has 12 bytes")
    expected = {(each, commands[0]): pulses(7) for each in both} | {(both[0], commands[1]): pulses(100)}
    assert found == expected
    assert set(mine.extendAll()) == set(both)
    assert mine.end([both[0].upper()]) == [both[0]]
    assert mine.getSerials() == [both[1]]
    assert mine.endAll() == [both[1]]
    assert mine.getSerials() == []


def test_results_are_there_for_whoever_comes_back(client: Make, files: dict[int, Path]) -> None:
    mine = client()
    serials = reserved(mine, 2)
    told = mine.evaluate_bitstreams(list(files.values()) * 2, spread=True)
    first = next(told)
    told.close()
    kept = mine.results(serial=first.serial, limit=1)[0]
    assert kept["value"] == first.value
    left = mine.evaluate_bitstreams(files.values(), spread=True)
    values = sorted(each.value for each in left)
    assert values == sorted(map(pulses, DIVIDERS)), "what was left of the batch before is not among them"
    rows = mine.results(batch=kept["batch"])
    assert first.value in [row["value"] for row in rows]
    assert {row["serial"] for row in rows} <= set(serials)


def test_what_is_wrong_is_said(client: Make, files: dict[int, Path], place: tuple[str, str | None]) -> None:
    mine = client()
    for ask, field, words in (
        (lambda: mine.reserve(1, kind="oscilloscope"), "kind", "pulsecount"),
        (lambda: mine.reserve_specific(["e6-none"]), "serials", "e6-none"),
        (lambda: mine.reserve(1, length_s=-1), "length_s", "greater than"),
        (lambda: mine.end(["e6-none"]), "serials", "not reserved by this client"),
        (lambda: list(mine.evaluate_bitstreams(files.values())), "serials", "reserve some first"),
    ):
        with pytest.raises(FarmError, match=words) as error:
            ask()
        assert error.value.field == field
    with pytest.raises(ValueError, match="at least one board"):
        PulseCountEvaluation([], "x.bin")
    stranger = BoardClient(place[0], "stranger", key="fk_wrong")
    with pytest.raises(FarmError) as error:
        stranger.available()
    assert error.value.status == 401
    stranger.close()
    reserved(mine, 2)
    with pytest.raises(FarmError, match="are free") as error:
        client().reserve_specific(mine.get_serials()[:1])
    assert (error.value.field, error.value.status) == ("wait", 409)
    gone = [each.value for each in mine.evaluate_bitstreams(["none.bin"])]
    assert [type(each) for each in gone] == [EvaluationFailed] * 2
    assert "No such file" in gone[0].problem
    with pytest.raises(FarmError, match="allowed: evaluate"):
        mine.call("explode")


def test_variance(client: Make, files: dict[int, Path]) -> None:
    mine = client(VarianceClient)
    reserved(mine, 1)
    values = [each.value for each in mine.evaluate_bitstreams([files[7]])]
    assert [type(value) for value in values] == [float]
    assert values[0] > 0


def test_a_gang_of_two_kinds(client: Make, files: dict[int, Path]) -> None:
    mine = client()
    counter, meter = reserved(mine, 1, together=[{"count": 1, "kind": "variance"}])
    found = {serial: next(mine.evaluate_bitstreams([files[7]], serials=[serial])).value for serial in (counter, meter)}
    assert found[counter] == pulses(7)
    assert 0 < found[meter] != pulses(7)
    with pytest.raises(FarmError) as error:
        mine.reserve_specific([counter], together=[{"serials": [counter]}])
    assert error.value.field == "together"


def test_asyncio(place: tuple[str, str | None], files: dict[int, Path]) -> None:
    async def work() -> list[Any]:
        async with AsyncPulseCountClient(place[0], f"async {os.getpid()}", key=place[1]) as mine:
            serials = await mine.reserve(2, wait_for_available=True, available_timeout=120)
            told = [each async for each in mine.evaluate_bitstreams(files.values())]
            assert sorted(each.value for each in told) == sorted([*map(pulses, DIVIDERS)] * 2)
            assert await mine.reboot(serials[:1]) == []
            return [each.value async for each in mine.evaluate_bitstreams([files[7]], serials=serials[:1])]

    assert asyncio.run(work()) == [pulses(7)]


class Heard(AbstractEventHandler):
    def __init__(self, client: BoardClient) -> None:
        super().__init__(client.server)
        self.client = client
        self.events: queue.Queue[tuple[str, Any]] = queue.Queue()

    @register("initialized", "serial")
    def initialized(self, serial: str) -> None:
        raise RuntimeError("a handler that fails disturbs nobody")

    @register("results", "serial", "value")
    def results(self, serial: str, value: Any) -> None:
        self.events.put(("results", value))

    @register("results", "data")
    def greeted(self, data: str) -> None:
        self.events.put(("results", data))

    @register("reservation end", "serial")
    def ended(self, serial: str) -> None:
        self.events.put(("ended", self.client.available("pulsecount") >= 0))  # handlers may use the client

    @register("played", "key", "heard")
    def played(self, key: str, heard: list[str]) -> None:
        self.events.put(("played", (key, heard)))

    @register("played", "nothing such")
    def never(self, nothing: Any) -> None:
        self.events.put(("never", nothing))


def test_events_reach_the_handlers_in_their_order(client: Make, files: dict[int, Path]) -> None:
    mine = client()
    mine.add_event_handler(heard := Heard(mine))
    reserved(mine, 1, length_s=600)
    assert [each.value for each in mine.evaluate_bitstreams([files[7], files[100]])] == [pulses(7), pulses(100)]
    mine.end_all()
    told = [heard.events.get(timeout=30) for _ in range(3)]
    assert told == [("results", pulses(7)), ("results", pulses(100)), ("ended", True)]


@pytest.mark.usefixtures("no_live_farm")
def test_a_state_of_ones_own(client: Make, files: dict[int, Path]) -> None:
    mine = client(BoardClient)
    mine.add_event_handler(heard := Heard(mine))
    serial = reserved(mine, 1, kind="tuner", args={"times": 2})[0]
    assert mine.call("play", {"key": "c"}, {"score": files[100]}) == {serial: 2}
    assert heard.events.get(timeout=30) == ("played", ("c", [f"pulses: {pulses(100)}"] * 2))
    mine.call("greet", {"name": "Ann"})
    assert heard.events.get(timeout=30) == ("results", "hello, Ann!")
    with pytest.raises(FarmError, match=r"args\.key: missing"):
        mine.call("play", files={"score": files[100].read_bytes()})
    with pytest.raises(FarmError, match="times"):
        client(BoardClient).reserve(1, kind="tuner", args={"speed": 2}, wait_for_available=True)


def test_reservations_extend_themselves(client: Make) -> None:
    mine = client()
    serial = reserved(mine, 1, length_s=6)[0]
    heard: queue.Queue[Any] = queue.Queue()

    class Extended(AbstractEventHandler):
        @register("extended", "until")
        def extended(self, until: int) -> None:
            heard.put(until)

    mine.add_event_handler(Extended(mine.server))
    assert heard.get(timeout=60) < heard.get(timeout=60)
    assert mine.get_serials() == [serial]


def test_a_client_that_is_closed_leaves_no_batch_behind(client: Make, files: dict[int, Path]) -> None:
    mine = client()
    reserved(mine, 1)
    told = mine.evaluate_bitstreams([files[7]] * 3)
    next(told)
    mine.end_all()
    mine.close()
    assert not asyncio.all_tasks(mine._loop)
    with pytest.raises(RuntimeError, match="is closed"):
        next(told)


def test_the_pytest_plugin(place: tuple[str, str | None], files: dict[int, Path], tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(f"""
def test_one(board, farmhand_boards):
    found = list(farmhand_boards.evaluate_bitstreams([{str(files[7])!r}], serials=[board]))
    assert [each.value for each in found] == [{pulses(7)}]
    assert farmhand_boards.get_serials() == [board]


def test_other(board):
    assert board
""")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "farmhand_client.pytest_plugin", "-p", "no:cacheprovider"]
    path = os.pathsep.join([str(ROOT / "client"), os.environ.get("PYTHONPATH", "")])
    env = {**os.environ, "FARMHAND_URL": place[0], "PYTHONPATH": path} | (
        {"FARMHAND_KEY": place[1]} if place[1] else {}
    )
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=200, check=False)
    assert "2 passed" in done.stdout, done.stdout + done.stderr
