"""What a client hears when it gives its boards back."""

import asyncio
from typing import Any

import pytest
from farmhand_client import AbstractEventHandler, AsyncBoardClient, BoardClient, Event, register

from tests.boards.board_sentry import BoardSentry
from tests.commander.serving import Serving

pytestmark = pytest.mark.broker


class Heard(AbstractEventHandler):
    def __init__(self, client: BoardClient) -> None:
        super().__init__(client.server)
        self.events: list[tuple[str, str]] = []

    def handle_event(self, event: Event) -> list[Any]:
        self.events.append((event.serial, event.event))
        return []


@pytest.mark.parametrize("way", ["end", "end_all"])
def test_what_boards_told_before_is_heard_before_and_all_of_it_once(
    serving: Serving, sentry: BoardSentry, way: str
) -> None:
    client = BoardClient(serving.url, f"hears {way}", key=serving.key("operator"))
    heard = Heard(client)
    client.add_event_handler(heard)
    one, two = client.reserve(2, kind="pulsecount")
    lease = client._client.leases.boards[one]
    for number in range(20):
        sentry.event(two, "played", lease, number=number)
    sentry.event(two, "results", lease, batch="b", results=[["first", 7]])
    serving.until(lambda: len(serving.get("/boards/history", lease=lease, what="played")["items"]) == 20)
    serving.until(lambda: serving.get("/boards/results", lease=lease)["items"])
    if way == "end":
        client.end([one])
        assert client.get_serials() == [two]
        client.end([two])
    else:
        client.end_all()
    assert client.get_serials() == []
    client.close()
    told = [event for serial, event in heard.events if serial == two and event in ("played", "results", "ended")]
    assert sorted(told[:-1]) == ["played"] * 20 + ["results"]
    assert told[-1] == "ended"
    assert heard.events.count((one, "ended")) == 1


def test_a_handler_of_asyncio_may_give_the_boards_back(serving: Serving, sentry: BoardSentry) -> None:
    client = AsyncBoardClient(serving.url, "ends in a handler", key=serving.key("operator"))
    ended: list[str] = []

    class Ends(AbstractEventHandler):
        @register("played", "serial")
        async def played(self, serial: str) -> None:
            ended.extend(await asyncio.gather(client.end([serial]), client.end([])))

    async def work() -> None:
        client.add_event_handler(Ends(client.server))
        (serial,) = await client.reserve(1, kind="pulsecount")
        sentry.event(serial, "played", client.leases.boards[serial])
        async with asyncio.timeout(30):
            while not ended:
                await asyncio.sleep(0.02)
        assert ended == [[serial], []]
        assert client.get_serials() == []
        await client.close()

    asyncio.run(work())
