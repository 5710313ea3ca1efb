"""esp_node.ntp on both interpreters against time servers on loopback: a good one, and some that are not."""

import json
import os
import select
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import ROOT, program

TO_1970 = 2208988800
YEAR_2040 = 2208988800.0


def stamp(unix: float) -> bytes:
    return struct.pack("!II", int(unix + TO_1970) % 2**32, int(unix % 1 * 2**32))


def answer(question: bytes, ahead: float = 0, head: bytes = b"\x24\x02", inside: float = 0) -> bytes:
    """A server's answer: originate = the client's transmit, then received and sent, `inside` s apart."""
    now = time.time() + ahead
    return head + bytes(22) + question[40:48] + stamp(now - inside) + stamp(now)


def late(question: bytes) -> list[bytes]:
    time.sleep(0.3)  # the server's own slowness is what this is about
    now = time.time()
    return [b"\x24\x02" + bytes(22) + question[40:48] + stamp(now - 0.25) + stamp(now - 0.05)]


SERVERS: dict[str, Callable[[bytes], list[bytes]]] = {
    "silent": lambda _: [],
    "kiss": lambda q: [b"\x24\0" + bytes(10) + b"RATE" + bytes(8) + q[40:48] + bytes(16)],
    "mode": lambda q: [answer(q, head=b"\x23\x02")],
    "alarm": lambda q: [answer(q, head=b"\xe4\x02")],
    "zero": lambda q: [answer(q)[:40] + bytes(8)],
    "backwards": lambda q: [answer(q, inside=-5)],
    "1999": lambda q: [answer(q, ahead=920000000 - time.time())],
    "short": lambda q: [answer(q)[:47], b"", b"\xff" * 20],
    "other nonce": lambda q: [answer(q[:40] + b"whatever")],
    "hour": lambda q: [answer(q, ahead=3600)],
    "noise": lambda q: [b"\xff" * 48, answer(q[:40] + b"\0" * 8, ahead=77777), b"x", answer(q)],
    "late": late,
    "2040": lambda q: [answer(q, ahead=YEAR_2040 + 86400 - time.time())],
}


@pytest.fixture
def ports() -> Iterator[dict[str, int]]:
    with ExitStack() as stack:
        sockets: dict[socket.socket, str] = {}
        for name in (*SERVERS, "closed", "bell"):
            sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            sock.bind(("127.0.0.1", 0))
            sockets[sock] = name
        ports = {name: sock.getsockname()[1] for sock, name in sockets.items()}
        closed = next(sock for sock, name in sockets.items() if name == "closed")
        del sockets[closed]
        closed.close()

        def serve() -> None:
            while True:
                for sock in select.select(list(sockets), [], [])[0]:
                    question, sender = sock.recvfrom(100)
                    if sockets[sock] == "bell":
                        return
                    assert len(question) == 48
                    assert question[0] == 0x23
                    for reply in SERVERS[sockets[sock]](question):
                        sock.sendto(reply, sender)

        thread = threading.Thread(target=serve)
        thread.start()
        yield ports
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"the end", ("127.0.0.1", ports["bell"]))
        thread.join()


@pytest.mark.parametrize("interpreter", ["cpython", "micropython"])
def test_time_servers_good_and_bad(interpreter: str, ports: dict[str, int], node_main: Path) -> None:
    script = Path(__file__).parent / "board" / "ntp.py"
    argv = [sys.executable] if interpreter == "cpython" else [program("micropython") or "", "-X", "heapsize=64k"]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "MICROPYPATH": str(node_main.parent)}
    done = subprocess.run(
        [*argv, str(script), json.dumps(ports)], env=env, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.stdout.endswith("ok\n"), done.stdout + done.stderr
