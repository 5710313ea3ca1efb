"""A miner's API that gives recorded answers: a real server on HTTP or plain TCP, with the faults of real ones.

Also a program, so that a playbook can name it: `python -m tests.support.replay lolminer 1.92 PORT [FAULT]`. It needs
the standard library only, and ends at SIGTERM.
"""

import json
import signal
import socket
import struct
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from sentry.mining.miners import Ask, Tcp, adapter
from tests.support.waiting import PATIENCE

REFUSALS = {"401": "401 Unauthorized", "500": "500 Internal Server Error"}
HTTP_FAULTS = (*REFUSALS, "cut", "half", "dead", "garbage", "page", "slow")
TCP_FAULTS = ("cut", "half", "dead", "garbage", "slow")
RECORDED = Path(__file__).parents[1] / "mining" / "recorded"
GARBAGE = b"\x00\xff{[}\x1b[31m"
PAGE = b"<html><body>login</body></html>"


def answers(name: str, case: str) -> list[bytes]:
    """What was recorded, in the order of the adapter's asks; b"" where nothing was."""
    asks = range(len(adapter(name).asks))
    return [next((file.read_bytes() for file in (RECORDED / name / case).glob(f"{n}.*")), b"") for n in asks]


class Replay:
    """Answers what is asked as `asks` with the answer of the same place; b"" there: nobody serves that.

    ``fault``, at any time: `401`, `500` (HTTP status), `cut` (ends in the middle, though the length says otherwise),
    `half` (half of it, then silence), `dead` (takes the connection and drops it), `garbage` (bytes that are no answer),
    `page` (a web page of something else), `slow` (in small pieces).
    """

    def __init__(
        self, asks: Sequence[Ask], answers: Sequence[bytes], token: str = "", fault: str = "", port: int = 0
    ) -> None:
        self.answers: Mapping[str, bytes] = dict(zip(map(_key, asks), answers, strict=True))
        self.token, self.fault = token, fault
        self.asked: list[str] = []
        self._plain = any(isinstance(ask, Tcp) for ask in asks)
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> "Replay":
        self._start(self._accept)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()
        # A close alone does not wake a thread that waits in accept.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()

    def _start(self, work: object, *given: object) -> None:
        thread = threading.Thread(target=work, args=given, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._ended.is_set():
            with suppress(OSError):
                self._start(self._serve, self._listener.accept()[0])

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(PATIENCE)
            if self.fault == "dead":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            asked, token = _plain(connection) if self._plain else _request(connection)
            self.asked.append(asked)
            self._send(connection, self._answer(asked, token))
            if self.fault == "half":
                # The other side gives up first, unless the test ends.
                connection.settimeout(0.05)
                while not self._ended.is_set():
                    with suppress(TimeoutError):
                        if not connection.recv(64):
                            return

    def _answer(self, asked: str, token: str) -> bytes:
        body = self.answers.get(asked, b"")
        if self._plain or self.fault == "garbage":
            return GARBAGE if self.fault == "garbage" else body
        if self.fault in REFUSALS or (self.token and token != f"Bearer {self.token}"):
            return _http(REFUSALS.get(self.fault, REFUSALS["401"]), json.dumps({"status": self.fault}).encode())
        if self.fault == "page":
            return _http("200 OK", PAGE)
        return _http("200 OK", body) if body else _http("404 Not Found", b"{}")

    def _send(self, connection: socket.socket, answer: bytes) -> None:
        if self.fault in ("cut", "half"):
            connection.sendall(answer[: (len(answer) + answer.find(b"\r\n\r\n")) // 2])
        elif self.fault == "slow":
            step = len(answer) // 7 + 1
            for at in range(0, len(answer), step):
                connection.sendall(answer[at : at + step])
                self._ended.wait(0.01)
        else:
            connection.sendall(answer)


def _key(ask: Ask) -> str:
    return ask.text if isinstance(ask, Tcp) else f"{ask.method} {ask.path} {ask.body}".strip()


def _http(status: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + body


def _plain(connection: socket.socket) -> tuple[str, str]:
    """One JSON command; the other side need not close its half."""
    got = b""
    while chunk := connection.recv(4096):
        got += chunk
        with suppress(ValueError):
            json.loads(got)
            break
    return got.decode(), ""


def _request(connection: socket.socket) -> tuple[str, str]:
    """Method, path and body of a request, and its Authorization."""
    with connection.makefile("rb") as lines:
        method, path, _ = lines.readline().decode().split(" ", 2)
        headers: dict[str, str] = {}
        while line := lines.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = lines.read(int(headers.get("content-length", "0")))
    return f"{method} {path} {body.decode()}".strip(), headers.get("authorization", "")


def main(name: str, case: str, port: str, fault: str = "") -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), Replay(adapter(name).asks, answers(name, case), fault=fault, port=int(port)):
        print(f"answers as {name} {case} did", flush=True)
        signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
