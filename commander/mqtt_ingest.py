"""The receiving half of MQTT 3.1.1, for the commander's ingest sessions alone.

paho spends 20 to 30 us a message and one write per acknowledgement; this reads whatever the socket holds, hands all
its messages over at once and acknowledges a whole transaction in one write (docs/profile.md). It subscribes with QoS
1 and never publishes.
Source of the packets: OASIS MQTT Version 3.1.1, chapters 2 and 3.
"""

import logging
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, NamedTuple

log = logging.getLogger(__name__)

KEEPALIVE_S = 20
CONNECT_S = 10.0
BACKOFF_S = 15.0
CHUNK = 262_144
PINGREQ = b"\xc0\x00"
REFUSALS = {
    1: "protocol version",
    2: "client id",
    3: "server unavailable",
    4: "wrong user or password",
    5: "not authorised",
}

Message = tuple[bytes, bytes, int, bytes, bool]  # topic, payload, QoS, packet id, retained


class Arrived(NamedTuple):
    """Messages in the order in which they came; `generation` says which connection may acknowledge them (session
    None: none need it).
    """

    session: "IngestSession | None"
    generation: int
    messages: list[Message]


class Door(NamedTuple):
    """A session came up or went down. `domain` is "" for the leader's; `fresh`: the broker remembered nothing of it."""

    domain: str
    up: bool
    fresh: bool


class ConnectionLost(OSError):
    """The broker closed the connection, was silent too long, or broke the protocol."""


class IngestSession(threading.Thread):
    """One persistent session: a thread that connects for ever and puts Door and Arrived into `put`."""

    def __init__(
        self,
        address: tuple[str, int],
        login: tuple[str, str],
        ca: str,
        client_id: str,
        filters: Iterable[str],
        domain: str,
        put: Callable[[Any], None],
    ) -> None:
        super().__init__(name=client_id, daemon=True)
        self.domain = domain
        self.connected = False
        self.generation = 0
        self._address = address
        self._tls = ssl.create_default_context(cafile=ca) if ca else None
        self._put = put
        self._connect_packet = _connect(client_id, *login)
        self._subscribe_packet = _subscribe(filters)
        self._socket: socket.socket | None = None
        self._writing = threading.Lock()
        self._wrote = 0.0
        self._stopping = threading.Event()

    def run(self) -> None:
        pause = 0.5
        while not self._stopping.is_set():
            try:
                self._session()
                pause = 0.5
            except OSError as error:
                if not self._stopping.is_set():
                    log.warning("broker %s:%d, %s: %s", *self._address, self.name, error)
            if self.connected:
                self.connected = False
                pause = 0.5
                self._put(Door(self.domain, False, False))
            self._close()
            self._stopping.wait(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, BACKOFF_S)

    def acknowledge(self, packet_ids: list[bytes], generation: int) -> None:
        """PUBACK in one write, unless the connection that delivered the messages is gone: its ids mean
        others by now.
        """
        if packet_ids and self.connected and generation == self.generation:
            self._write(b"\x40\x02" + b"\x40\x02".join(packet_ids))

    def stop(self) -> None:
        """Leave the broker; the session stays there."""
        self._stopping.set()
        self._write(b"\xe0\x00")
        self._close()

    def _session(self) -> None:
        link = socket.create_connection(self._address, CONNECT_S)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is not None:
            link = self._tls.wrap_socket(link, server_hostname=self._address[0])
        self._socket = link
        link.sendall(self._connect_packet)
        answer = _exactly(link, 4)
        if answer[0] != 0x20 or answer[3]:
            raise ConnectionLost(f"refused: {REFUSALS.get(answer[3], answer.hex())}")
        link.settimeout(KEEPALIVE_S / 2)
        self.generation += 1
        self.connected = True
        self._put(Door(self.domain, True, not answer[2] & 1))
        self._write(self._subscribe_packet)
        self._read(link)

    def _read(self, link: socket.socket) -> None:
        held = b""
        heard = time.monotonic()
        while True:
            try:
                data = link.recv(CHUNK)
            except TimeoutError:
                if time.monotonic() - heard > KEEPALIVE_S * 1.5:
                    raise ConnectionLost("silent too long") from None
                self._write(PINGREQ)
                continue
            if not data:
                raise ConnectionLost("closed by the broker")
            heard = time.monotonic()
            # QoS 0 alone is never answered: the broker must hear of us all the same.
            if heard - self._wrote > KEEPALIVE_S / 2:
                self._write(PINGREQ)
            messages, held = parse(held + data)
            if messages:
                self._put(Arrived(self, self.generation, messages))

    def _write(self, data: bytes) -> None:
        link = self._socket
        if link is None:
            return
        try:
            with self._writing:
                link.sendall(data)
                self._wrote = time.monotonic()
        except OSError:
            self._close()  # the reading side notices and connects anew

    def _close(self) -> None:
        link, self._socket = self._socket, None
        if link is not None:
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
            link.close()


def parse(data: bytes) -> tuple[list[Message], bytes]:
    """All complete PUBLISH packets in `data`, and the bytes that are left. Raises ConnectionLost for a refused
    subscription.
    """
    messages: list[Message] = []
    at, end = 0, len(data)
    while end - at >= 2:
        kind = data[at]
        length = data[at + 1]
        body = at + 2
        if length & 0x80:
            length &= 0x7F
            shift = 7
            while True:
                if body >= end:
                    return messages, data[at:]
                byte = data[body]
                body += 1
                length |= (byte & 0x7F) << shift
                if not byte & 0x80:
                    break
                shift += 7
                if shift > 21:
                    raise ConnectionLost("malformed packet length")
        following = body + length
        if following > end:
            break
        if kind & 0xF0 == 0x30:
            qos = kind >> 1 & 3
            start = body + 2
            topic_end = start + (data[body] << 8 | data[body + 1])
            payload = topic_end + 2 if qos else topic_end
            messages.append(
                (data[start:topic_end], data[payload:following], qos, data[topic_end:payload], kind & 1 == 1)
            )
        elif kind == 0x90 and 0x80 in data[body + 2 : following]:
            raise ConnectionLost("a subscription was refused: check the ACL of the commander's user")
        at = following
    return messages, data[at:]


def _connect(client_id: str, user: str, password: str) -> bytes:
    # 0xC0: user and password; no clean session, so the broker keeps what comes while we are away.
    head = _text("MQTT") + b"\x04\xc0" + KEEPALIVE_S.to_bytes(2, "big")
    return _packet(0x10, head + _text(client_id) + _text(user) + _text(password))


def _subscribe(filters: Iterable[str]) -> bytes:
    return _packet(0x82, b"\x00\x01" + b"".join(_text(each) + b"\x01" for each in filters))


def _packet(kind: int, body: bytes) -> bytes:
    length, digits = len(body), bytearray()
    while True:
        length, digit = divmod(length, 128)
        digits.append(digit | 0x80 if length else digit)
        if not length:
            return bytes((kind,)) + bytes(digits) + body


def _text(value: str) -> bytes:
    raw = value.encode()
    return len(raw).to_bytes(2, "big") + raw


def _exactly(link: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = link.recv(count - len(data))
        if not piece:
            raise ConnectionLost("closed before it answered")
        data += piece
    return data
