"""What a program may do wrong, or be stopped at: no board is reserved unseen, no connection is left."""

import asyncio
import threading
from pathlib import Path

import pytest
from farmhand_client import AbstractEventHandler, AsyncPulseCountClient, FarmError, PulseCountClient

from tests.boards.board_sentry import BoardSentry
from tests.boards.http.asking import free
from tests.commander.serving import Serving

pytestmark = pytest.mark.broker


def test_a_reservation_that_is_cancelled_while_it_is_asked_for_is_given_back(
    serving: Serving, sentry: BoardSentry
) -> None:
    async def work() -> None:
        async with AsyncPulseCountClient(serving.url, "cancelled", key=serving.key("operator")) as client:
            await client.available()  # connected
            for number in range(8):
                asked = asyncio.ensure_future(client.reserve(1, together=[{"count": 1, "kind": "variance"}]))
                await asyncio.sleep(number * 0.002)
                asked.cancel()
                assert [type(each) for each in await asyncio.gather(asked, return_exceptions=True)] == [
                    asyncio.CancelledError
                ]
                assert client.get_serials() == []
                rows = (await client.api.get("/boards/leases", name="cancelled"))["items"]
                assert [row["id"] for row in rows if row["state"] != "ended"] == []

    asyncio.run(work())


def test_one_serial_or_path_is_a_list_of_one_and_none_is_refused(
    serving: Serving, sentry: BoardSentry, tmp_path: Path
) -> None:
    path = tmp_path / "one.bin"
    path.write_bytes(b"one")
    with PulseCountClient(serving.url, "slips", key=serving.key("operator")) as client:
        with pytest.raises(FarmError, match="must name a board") as refused:
            client.reserve_specific([])
        assert (refused.value.field, free(serving)) == ("serials", 4)
        assert client.reserve_specific("E660") == ["e660"]
        with pytest.raises(FarmError, match="must name a board"):
            list(client.evaluate_bitstreams([path], serials=[]))
        assert [each[:2] for each in client.evaluate_bitstreams(str(path), serials="e660")] == [("e660", str(path))]
        assert client.end("e660") == ["e660"]


def test_a_client_is_closed_whatever_goes_wrong_at_its_end(serving: Serving) -> None:
    done = threading.Event()

    class Fails(AbstractEventHandler):
        def exit(self) -> None:
            raise RuntimeError("at the end")

    class Ends(AbstractEventHandler):
        def exit(self) -> None:
            done.set()

    client = PulseCountClient(serving.url, "ends", key=serving.key("operator"))
    for handler in (Fails(client.server), Ends(client.server)):
        client.add_event_handler(handler)
    client.close()
    assert done.is_set()
    assert not client._thread.is_alive()

    async def work() -> AsyncPulseCountClient:
        with pytest.raises(FarmError, match="unknown"):
            async with AsyncPulseCountClient(serving.url, "ends", key="fk_wrong") as client:
                pass
        return client

    assert asyncio.run(work()).api._http.is_closed
