"""Clients whose program is interrupted, or exits."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest
from farmhand_client import FarmError, PulseCountClient

from tests.boards.board_sentry import BoardSentry, count_of
from tests.boards.http.asking import free
from tests.commander.serving import Serving
from tests.conftest import ROOT
from tests.support.waiting import wait_until

pytestmark = pytest.mark.broker

LEAVES = """
import atexit, sys
from farmhand_client import PulseCountClient

client = PulseCountClient(sys.argv[1], "leaves", key=sys.argv[2])
atexit.register(client.endAll)
client.reserve(1)
client._wait(client._client.leases.close())
client._client.api._http._transport._pool._keepalive_expiry = 0
print("reserved", flush=True)
sys.stdin.read()
"""


def test_only_the_interrupt_comes_out_of_a_batch(serving: Serving, sentry: BoardSentry, tmp_path: Path) -> None:
    path = tmp_path / "one.bin"
    path.write_bytes(b"one")

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    kept = signal.signal(signal.SIGALRM, interrupt)
    client = PulseCountClient(serving.url, "interrupted", key=serving.key("operator"))
    try:
        client.reserve(2)
        sentry.answer = lambda *_: None  # at it for ever
        for number in range(8):
            results = client.evaluate_bitstreams([path])
            signal.setitimer(signal.ITIMER_REAL, 0.05 + 0.05 * number)
            with pytest.raises(KeyboardInterrupt):
                list(results)
        sentry.answer = lambda _, sha256: count_of(sha256)
        assert len(list(client.evaluate_bitstreams([path]))) == 2
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, kept)
        sentry.answer = lambda _, sha256: count_of(sha256)
        client.end_all()
        client.close()


def test_boards_are_given_back_at_exit_by_a_new_connection_to_a_name(serving: Serving, sentry: BoardSentry) -> None:
    url = serving.url.replace("127.0.0.1", "localhost")
    given = [sys.executable, "-c", LEAVES, url, serving.key("operator")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "client")}
    with subprocess.Popen(given, env=environment, stdin=PIPE, stdout=PIPE, stderr=PIPE) as program:
        assert program.stdout is not None
        try:
            assert program.stdout.readline() == b"reserved\n"
            assert free(serving) == 3
            _, said = program.communicate(timeout=60)
            assert (program.returncode, said) == (0, b"")
        finally:
            program.kill()
    wait_until("the board to be free", lambda: free(serving) == 4)


@pytest.mark.parametrize("url", ["farm:8080", "127.0.0.1:8080"])
def test_a_url_that_is_none_is_refused_at_once(url: str) -> None:
    client = PulseCountClient(url, "mistyped")
    client._client.api.patience_s = 600
    with pytest.raises(FarmError, match="http://farm:8080") as refused:
        client.available()
    assert refused.value.field == "url"
    client.close()
