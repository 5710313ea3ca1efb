"""What a gateway takes of requests: those for boards of the client, and not without end; and what a state tells."""

import asyncio
from hashlib import sha256
from typing import Any

import httpx
import pytest

from commander import icefarm_calls
from commander.boards.icefarm import Request
from commander.http.board_calls import MOST_BYTES
from commander.icefarm_calls import Calls
from schema import wire
from tests.boards.board_sentry import BoardSentry
from tests.boards.icefarm.asking import ask, lease_of
from tests.boards.icefarm.clients import VERSIONS, Connect
from tests.commander.serving import Serving
from tests.support.waiting import wait_until

pytestmark = pytest.mark.broker

USER = "icefarm"
GOOD = {"kind": "pulsecount", "args": {}, "amount": 1}


def evaluation(serial: str, name: str) -> Request:
    return Request((serial,), "evaluate", {"batch": "b"}, "b", {name: name.encode()})


def nothing(serial: str, name: str) -> list[Any]:
    return [serial, [{"event": "results", "batch_id": "b", "results": [[name, None]]}]]


class Told:
    """What clients were told, as [serial, contents]."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def __call__(self, _: str, text: str) -> None:
        found = wire.loads(text.encode())
        self.events.append([found["serial"], found["contents"]])


def test_nothing_is_kept_of_requests_for_boards_of_others(serving: Serving, http: httpx.Client) -> None:
    (row,) = ask(http, "/reserve", name="ann", **GOOD)
    told = Told()

    async def asked() -> None:
        calls = Calls(serving.service, USER, told)
        for serial in (row["serial"], "none"):
            await calls.take("bob", evaluation(serial, "of-bob"))

    asyncio.run(asked())
    assert told.events == [nothing(row["serial"], "of-bob"), nothing("none", "of-bob")]
    assert sha256(b"of-bob").hexdigest() not in serving.service.flow.farm["blob"]


def test_a_file_that_cannot_be_taken_is_nothing_and_the_others_go_on(serving: Serving, http: httpx.Client) -> None:
    (row,) = ask(http, "/reserve", name="ann", **GOOD)
    serial, told = row["serial"], Told()
    given = {"empty": b"", "good": b"good", "huge": b"x" * (MOST_BYTES + 1)}

    async def asked() -> None:
        await Calls(serving.service, USER, told).take("ann", Request((serial,), "evaluate", {"batch": "b"}, "b", given))

    asyncio.run(asked())
    assert told.events == [nothing(serial, "empty"), nothing(serial, "huge")]
    lease = lease_of(serving, "ann")["id"]
    serving.until(lambda: serving.get("/boards/results", lease=lease)["items"])
    assert [each["evaluation"] for each in serving.get("/boards/results", lease=lease)["items"]] == ["good"]


def test_a_client_has_not_more_than_so_many_requests_under_way(
    serving: Serving, http: httpx.Client, sentry: BoardSentry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(icefarm_calls, "MOST_REQUESTS", 1)
    (row,) = ask(http, "/reserve", name="ann", **GOOD)
    serial = row["serial"]
    serving.until(lambda: serving.get("/boards", state="leased")["items"])
    sentry.refuses = {serial: "busy"}
    told = Told()

    async def asked() -> None:
        calls = Calls(serving.service, USER, told)
        first = asyncio.create_task(calls.take("ann", evaluation(serial, "first")))
        await asyncio.sleep(0)
        await calls.take("ann", evaluation(serial, "second"))
        assert told.events == [nothing(serial, "second")]
        sentry.refuses = {}
        await first
        await calls.take("ann", evaluation(serial, "third"))

    asyncio.run(asked())
    assert told.events == [nothing(serial, "second")]
    serving.until(lambda: len(serving.get("/boards/results", lease=lease_of(serving, "ann")["id"])["items"]) == 2)


@pytest.mark.parametrize("version", VERSIONS)
def test_what_a_state_of_ones_own_tells_comes_as_it_is(
    version: str, connect: Connect, sentry: BoardSentry, serving: Serving
) -> None:
    client = connect(version, f"own {version}")
    (serial,) = client.call("reserve", 1)
    lease = lease_of(serving, f"own {version}")["id"]
    sentry.event(serial, "results", lease, data="hello!")
    sentry.event(serial, "played", lease, tones=[1, 2])
    sentry.event(serial, "evaluation-failed", lease, batch="b", evaluation="e", problem="hangs")
    assert client.until("played", serial) == [{"event": "played", "serial": serial, "tones": [1, 2]}]
    wait_until("the failure", lambda: len(client.events("results", serial)) == 2)
    assert client.events("results", serial)[0] == {"event": "results", "serial": serial, "data": "hello!"}
    assert client.events("results", serial)[1]["results"] == [["e", None]]
    assert not client.events("evaluation-failed")
