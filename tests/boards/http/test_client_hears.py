"""What a client makes of what boards tell."""

import inspect
import logging
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from farmhand_client import (
    AbstractEventHandler,
    AsyncBoardClient,
    BoardClient,
    Event,
    PulseCountClient,
    Result,
    register,
)

from commander.effects import Add
from tests.boards.board_sentry import BoardSentry, count_of
from tests.boards.http.asking import free
from tests.commander.serving import Serving
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.broker


class Hears(AbstractEventHandler):
    """`told`: what came for the methods below; `events`: everything."""

    def __init__(self, client: BoardClient) -> None:
        super().__init__(client.server)
        self.told: list[Any] = []
        self.events: list[Event] = []
        client.add_event_handler(self)

    def handle_event(self, event: Event) -> list[Any]:
        self.events.append(event)
        return super().handle_event(event)

    @register("results", "data")
    def heard(self, data: str) -> None:
        self.told.append(data)

    @register("devices_available", "serial", "amount")
    def free(self, serial: str, amount: int) -> None:
        self.told.append((serial, amount))


@pytest.fixture
def client(serving: Serving, sentry: BoardSentry) -> Iterator[PulseCountClient]:
    with PulseCountClient(serving.url, "hears", logging.getLogger("test"), key=serving.key("operator")) as made:
        yield made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "one.bin"
    made.write_bytes(b"one")
    return made


def test_a_board_that_becomes_free_is_heard_without_a_reservation(
    serving: Serving, sentry: BoardSentry, client: PulseCountClient
) -> None:
    sentry.report("e661", state="broken")
    serving.until(lambda: free(serving) == 3)
    sentry.report("e661", state="ready")  # before there is a handler
    serving.until(lambda: free(serving) == 4)
    hears = Hears(client)
    sentry.report("e660", state="broken")
    serving.until(lambda: free(serving) == 3)
    sentry.report("e660", state="ready")
    wait_until("the free board to be heard of", lambda: hears.told)
    assert hears.told == [("e660", 4)]
    assert [(event.event, event.serial) for event in hears.events] == [("available", "e660")]


def test_an_event_that_a_listener_does_not_understand_stops_nothing(
    sentry: BoardSentry, client: PulseCountClient, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one, _ = client.reserve(2)
    lease = client._client.leases.boards[one]
    hears = Hears(client)

    def answer(_: str, sha256: str) -> int:
        sentry.event(one, "wanted", lease)
        return count_of(sha256)

    sentry.answer = answer
    try:
        results = list(client.evaluate_bitstreams([path] * 40, spread=True))
    finally:
        sentry.answer = lambda _, sha256: count_of(sha256)
    assert len([result for result in results if isinstance(result.value, int)]) == 40
    assert "failed at" in caplog.text
    sentry.event(one, "played", lease)
    wait_until("what comes later", lambda: [each for each in hears.events if each.event == "played"])


def test_a_watch_that_has_ended_begins_again(sentry: BoardSentry, client: PulseCountClient) -> None:
    leases = client._client.leases
    client.reserve(1)
    ended = leases._task
    assert ended is not None
    client._loop.call_soon_threadsafe(ended.cancel)
    wait_until("its end", ended.done)
    (two,) = client.reserve(1)
    hears = Hears(client)
    sentry.event(two, "played", leases.boards[two])
    wait_until("an event", lambda: hears.events)


def test_wishes_are_forgotten_with_their_leases(sentry: BoardSentry, client: PulseCountClient) -> None:
    for _ in range(3):
        client.end(client.reserve(1))
    client.reserve(1)
    assert len(client._client.leases._wishes) == 1


def test_results_of_a_state_of_ones_own_come_as_they_are(
    serving: Serving, sentry: BoardSentry, client: PulseCountClient
) -> None:
    hears = Hears(client)
    (serial,) = client.reserve(1)
    row: dict[str, Any] = {"ts": 1, "serial": serial, "node": "bench", "user": "", "what": "results"}
    row |= {"lease": client._client.leases.boards[serial], "data": {"data": "hello!"}}
    serving.service.flow.ask(lambda *_: (None, [Add("board_history", row)]), "test").result(PATIENCE)
    wait_until("the contents", lambda: hears.told == ["hello!"])


def test_a_virtual_boards_times_come_with_its_result(sentry: BoardSentry, client: PulseCountClient, path: Path) -> None:
    hears = Hears(client)
    (serial,) = client.reserve(1)
    sentry.times = {"gate_ms": 10, "took_ms": 1004}
    try:
        found = [next(iter(client.evaluate_bitstreams([path], batch=batch))) for batch in ("b-1", "b-1")]
    finally:
        sentry.times = {}
    for result in found:
        assert (result.gate_ms, result.took_ms) == (10, 1004)
        assert result == (serial, path, result.value)
        assert (*result,) == (serial, path, result.value)
    (event,) = [event for event in hears.events if event.event == "results"]
    assert (event.contents["gate_ms"], event.contents["took_ms"]) == (10, 1004)


def test_a_result_is_a_tuple_of_three() -> None:
    result = pickle.loads(pickle.dumps(Result("e1", "one.bin", 7, 10, 1004)))
    assert (result.gate_ms, result.took_ms, result) == (10, 1004, ("e1", "one.bin", 7))
    assert result._replace(value=8) == Result("e1", "one.bin", 8)


def test_a_new_client_of_the_name_adopts_what_an_earlier_one_left(
    serving: Serving, sentry: BoardSentry, path: Path
) -> None:
    given = serving.url, "left", logging.getLogger("test")
    key = serving.key("operator")
    first = PulseCountClient(*given, key=key)
    serials = first.reserve(2)
    lease = first._client.leases.boards[serials[0]]
    first.close()
    before = serving.get(f"/boards/leases/{lease}")["until"]
    with PulseCountClient(*given, key=key) as second:
        assert second.get_serials() == []
        assert sorted(second.adopt()) == sorted(serials)
        assert second.adopt() == []
        assert sorted(second.get_serials()) == sorted(serials)
        assert serving.get(f"/boards/leases/{lease}")["until"] > before
        hears = Hears(second)
        assert sorted(result.serial for result in second.evaluate_bitstreams([path])) == sorted(serials)
        wait_until("both results", lambda: [each.event for each in hears.events].count("results") == 2)
        second.end(serials[:1])
        assert second.get_serials() == serials[1:]
    serving.until(lambda: free(serving) == 4)


def test_calls_written_for_the_original_are_taken(
    serving: Serving, sentry: BoardSentry, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    key = serving.key("operator")
    with PulseCountClient(serving.url, "original", logging.getLogger("test"), True, key=key) as client:
        (serial,) = client.reserve(1, flush_interval_seconds=10, flush_at_bitstreams_remaining=25)
        assert len(list(client.evaluateBitstreams([path], batch_size=5, target_batches=2))) == 1
        evaluations = [client.made.evaluation(serial, path)]
        assert len(list(client.evaluateEvaluations(evaluations, batch_size=5, target_batches=2))) == 1
    assert f"{serial} initialized" in caplog.text
    with pytest.raises(TypeError):
        PulseCountClient(serving.url, "original", None, False, "fk_key")  # type: ignore[misc]


def test_both_clients_calls_have_the_same_parameters() -> None:
    names = [name for name, made in vars(BoardClient).items() if not name.startswith("_") and inspect.isfunction(made)]
    for name in ("__init__", *(set(names) - {"stop"})):
        one, other = (inspect.signature(getattr(made, name)) for made in (BoardClient, AsyncBoardClient))
        assert one.parameters == other.parameters, name
