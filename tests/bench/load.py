"""The load generator: many publishers on raw sockets in one process, each a stream with its own seq, held back by the
marks.

    python -m tests.bench.load HOST PORT ROOT DOMAIN PUBLISHERS SECONDS RATE WINDOW SIZE

RATE 0: as fast as the marks allow. Like a real sender it has at most WINDOW events without a mark, and it sends
nothing twice unless the mark stands still. Prints one JSON line: {"sent", "seconds", "marked"}.
"""

import json
import re
import selectors
import socket
import sys
import time
from contextlib import suppress

MARK = re.compile(rb'"load":(\d+)')
PASSWORD = "bench"
CHUNK = 25


class Publisher:
    """One MQTT 3.1.1 connection as node `load-<n>`: QoS 1 publishes, subscribed to its own `stored`."""

    def __init__(self, host: str, port: int, root: str, domain: str, number: int, size: int) -> None:
        self.name = f"load-{number}"
        self.seq = 0
        self.mark = 0
        self.mid = 0
        self.acknowledged = 0
        self.pending = b""
        self.received = b""
        base = f"{root}/{domain}/{self.name}/self/"
        self.topic = (base + "tele/load").encode()
        self.padding = ""
        self.padding = "x" * max(0, size - len(self._payload(1_000_000, int(time.time() * 1000))))
        self.socket = socket.create_connection((host, port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._send(
            b"\x10", _text(b"MQTT") + b"\x04\xc2\x00\x3c" + _text(self.name.encode()) * 2 + _text(PASSWORD.encode())
        )
        answer = self._exactly(4)
        if answer[3]:
            raise ConnectionRefusedError(f"{self.name}: CONNACK {answer[3]}")
        self._send(b"\x82", b"\x00\x01" + _text((base + "stored").encode()) + b"\x01")
        birth = {"schema": 1, "boot": "b1", "kind": "worker", "software": "load", "alive_ms": 60_000}
        birth |= {"parts": {"load": {"value": "W", "count": "", "note": ""}}}
        self._publish_retained(base + "info", json.dumps(birth))
        self._publish_retained(base + "state", "ready")
        self.socket.setblocking(False)

    def _payload(self, seq: int, now: int) -> bytes:
        text = (
            f'{{"ts":{now},"stream":"load","seq":{seq},"value":{seq % 1000 / 8},"count":{seq},"note":"{self.padding}"}}'
        )
        return text.encode()

    def fill(self, count: int, now: int) -> None:
        """Append `count` PUBLISH packets to what waits to be written."""
        parts = [self.pending]
        for _ in range(count):
            self.seq += 1
            self.mid = self.mid % 65_535 + 1
            body = self._payload(self.seq, now)
            parts.append(_packet(b"\x32", _text(self.topic) + self.mid.to_bytes(2, "big") + body))
        self.pending = b"".join(parts)

    def write(self) -> None:
        """Send what the socket takes."""
        with suppress(BlockingIOError):
            self.pending = self.pending[self.socket.send(self.pending) :]

    def read(self) -> None:
        """Count PUBACKs, take the marks."""
        data = self.socket.recv(65_536)
        if not data:
            raise ConnectionResetError(f"{self.name}: the broker closed the connection")
        self.received += data
        at, held = 0, self.received
        while at + 2 <= len(held):
            length, head = held[at + 1], 2
            if length & 0x80:
                if at + 3 > len(held):
                    break
                length, head = (length & 0x7F) | held[at + 2] << 7, 3
            if at + head + length > len(held):
                break
            kind = held[at] & 0xF0
            if kind == 0x40:
                self.acknowledged += 1
            elif kind == 0x30:
                packet = held[at : at + head + length]
                found = MARK.search(packet)
                if found:
                    self.mark = max(self.mark, int(found[1]))
                if packet[0] & 0x06:
                    topic_length = int.from_bytes(packet[head : head + 2], "big")
                    mid = packet[head + 2 + topic_length : head + 4 + topic_length]
                    self.pending += b"\x40\x02" + mid
            at += head + length
        self.received = held[at:]

    def _publish_retained(self, topic: str, payload: str) -> None:
        self.mid += 1
        self._send(b"\x33", _text(topic.encode()) + self.mid.to_bytes(2, "big") + payload.encode())

    def _send(self, kind: bytes, body: bytes) -> None:
        self.socket.sendall(_packet(kind, body))

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            data += self.socket.recv(count - len(data))
        return data


def _text(value: bytes) -> bytes:
    return len(value).to_bytes(2, "big") + value


def _packet(kind: bytes, body: bytes) -> bytes:
    length = len(body)
    if length < 128:
        return kind + bytes((length,)) + body
    return kind + bytes((length & 0x7F | 0x80, length >> 7)) + body


def run(publishers: list[Publisher], seconds: float, rate: float, window: int) -> dict[str, float]:
    """Publish for `seconds`, then wait until every mark has arrived (at most 60 s more)."""
    selector = selectors.DefaultSelector()
    for p in publishers:
        selector.register(p.socket, selectors.EVENT_READ, p)
    started = time.monotonic()
    ends = started + seconds
    sent = turn = 0
    while True:
        now = time.monotonic()
        if now >= ends and all(p.mark >= p.seq and not p.pending for p in publishers):
            break
        if now > ends + 60:
            break
        allowed = int(rate * (min(now, ends) - started)) - sent if rate else 1 << 30
        wall = int(time.time() * 1000)
        filled = 0
        share = max(1, allowed // len(publishers)) if rate else CHUNK
        begin = turn
        for n in range(len(publishers)):
            p = publishers[(begin + n) % len(publishers)]
            room = min(window - (p.seq - p.mark), CHUNK, share, allowed - filled)
            if now < ends and room > 0 and not p.pending:
                p.fill(room, wall)
                filled += room
                turn = (begin + n + 1) % len(publishers)
            if p.pending:
                p.write()
        sent += filled
        for key, _ in selector.select(0.002 if filled == 0 else 0):
            key.data.read()
    return {
        "sent": sum(p.seq for p in publishers),
        "seconds": time.monotonic() - started,
        "marked": sum(p.mark for p in publishers),
    }


def main() -> None:
    host, port, root, domain, count, seconds, rate, window, size = sys.argv[1:]
    publishers = [Publisher(host, int(port), root, domain, number, int(size)) for number in range(int(count))]
    print(json.dumps(run(publishers, float(seconds), float(rate), int(window))), flush=True)


if __name__ == "__main__":
    main()
