"""What a program may do wrong, or be stopped at: no board is reserved unseen, no connection is left."""

import asyncio
import os
import subprocess
import sys
import threading
from hashlib import sha256
from pathlib import Path

import pytest
from farmhand_client import (
    AbstractEventHandler,
    AsyncPulseCountClient,
    FarmError,
    PulseCountClient,
    PulseCountEvaluation,
    register,
)

from tests.boards.board_sentry import BoardSentry, count_of
from tests.boards.circuits import bitstream, divider, need_tools
from tests.boards.http.asking import free
from tests.commander.serving import Serving
from tests.conftest import LOCAL_PROGRAMS, ROOT

pytestmark = pytest.mark.broker

FORKS = """
import os, sys
from farmhand_client import PulseCountClient

client = PulseCountClient(sys.argv[1], "forks", key=sys.argv[2])
if child := os.fork():
    os.waitpid(child, 0)
    sys.exit(client.available() < 0)
try:
    client.available()
except RuntimeError as error:
    print(error, flush=True)
os._exit(0)
"""


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


def test_the_arguments_of_the_original_have_their_places(serving: Serving, sentry: BoardSentry, tmp_path: Path) -> None:
    (path := tmp_path / "one.bin").write_bytes(b"one")
    with PulseCountClient(serving.url, "places", key=serving.key("operator")) as client:
        serials = client.reserve(1)
        found = client.evaluateEvaluations([PulseCountEvaluation(serials, path)], 30, 5, 2)
        assert [each.value for each in found] == [count_of(sha256(b"one").hexdigest())]


def test_a_client_of_a_process_that_was_forked_says_so(serving: Serving) -> None:
    given = [sys.executable, "-c", FORKS, serving.url, serving.key("operator")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "client")}
    done = subprocess.run(given, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert "before this process was forked" in done.stdout


def test_an_asc_is_packed_whatever_its_name(
    serving: Serving, sentry: BoardSentry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need_tools()
    monkeypatch.setenv("PATH", f"{LOCAL_PROGRAMS}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    content = bitstream(divider(7))
    Path("by-7.bin").write_bytes(content)
    subprocess.run(["iceunpack", "by-7.bin", "./-v.asc"], check=True)
    Path("none.asc").write_text("hello")
    with PulseCountClient(serving.url, "packs", key=serving.key("operator")) as client:
        client.reserve(1)
        found = {path: value for _, path, value in client.evaluate_bitstreams(["-v.asc", "none.asc"])}
    assert found["-v.asc"] == count_of(sha256(content).hexdigest())
    assert "icepack: Error: Unexpected data line: hello" in found["none.asc"].problem


def test_a_handler_that_wants_to_exit_does_not_keep_events_from_others(serving: Serving, sentry: BoardSentry) -> None:
    ended = threading.Event()

    class Exits(AbstractEventHandler):
        @register("initialized", "serial")
        def initialized(self, serial: str) -> None:
            raise SystemExit(1)

        @register("ended", "serial")
        def ended(self, serial: str) -> None:
            ended.set()

    with PulseCountClient(serving.url, "exits", key=serving.key("operator")) as client:
        client.add_event_handler(Exits(client.server))
        client.reserve(1)
    assert ended.is_set()


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
