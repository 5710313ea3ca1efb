"""The node's one MQTT connection: umqtt.simple, made to last.

What differs from the base class: a PUBLISH is one write from a buffer made once; nothing waits for
a PUBACK in place, so no callback runs
inside publish(); packet ids wrap; every read and write has a time limit that is never lifted
(sockets are polled, not switched to
non-blocking); an unanswered ping or publish ends the connection; the callback hears the retain
flag; and serve() connects again by
itself, with back-off, over a list of brokers. MicroPython only: CPython's sockets have no read()
and write().
"""

import random
import select
import socket
import struct

from umqtt.simple import MQTTClient, MQTTException

from esp_node.clock import diff_us, mono_ms, mono_us
from esp_node.logger import log

_BUFFER = 512
_TOPIC_MOST = 256
_BACKOFF_MS = 250


class Link(MQTTClient):
    """One client of the broker list `brokers` [(host, port), ...].

    on_connect() is called after each CONNACK; on_message(topic str, payload bytes or None,
    retained) for each message, None when it
    was longer than `limit` bytes. connected, reconnects, roundtrip_us (of the latest ping, or
    None) and unacked are there to read.
    """

    def __init__(
        self,
        client_id,
        brokers,
        user,
        password,
        on_connect,
        on_message,
        keepalive=30,
        timeout_s=5,
        limit=4096,
    ):
        super().__init__(client_id, brokers[0][0], brokers[0][1], user, password, keepalive)
        self.brokers = brokers
        self.on_connect = on_connect
        self.on_message = on_message
        self.timeout_s = timeout_s
        self.limit = limit
        self.backoff_most_ms = 30000
        self.connected = False
        self.reconnects = -1  # the first connection is none
        self.roundtrip_us = None
        self.unacked = 0
        self._poller = select.poll()
        self._buffer = bytearray(_BUFFER)
        self._pinged = None  # when, in us
        self._asked = None  # since when we wait for anything, in ms
        self._fault = None
        self._spoke = 0
        self._suback = 0
        self._failures = 0
        self._retry_at = 0

    def serve(self, wait_ms):
        """Handle what arrives within `wait_ms`; returns after the first packets, or connects when
        the link is down. Never raises for a fault
        of the network."""
        if not self.connected and not self._open(wait_ms):
            return
        try:
            for _ in self._poller.ipoll(wait_ms):
                self.wait_msg()
            if self._fault:
                raise self._fault
            now = mono_ms()
            if self._asked is not None and now - self._asked > self.timeout_s * 1000:
                raise OSError("no answer for %d s" % self.timeout_s)
            if now - self._spoke > self.keepalive * 500:
                self.ping()
        except (OSError, MQTTException) as error:
            self.drop(error)

    def connect(self, clean_session=True, timeout=None):
        """Open the connection and wait for CONNACK. OSError, or MQTTException with the broker's
        code when it refuses."""
        self.sock = socket.socket()
        self.sock.settimeout(timeout or self.timeout_s)
        self.sock.connect(socket.getaddrinfo(self.server, self.port)[0][-1])
        try:  # IPPROTO_TCP, TCP_NODELAY: not every port has it; one write per packet is what counts
            self.sock.setsockopt(6, 1, 1)
        except OSError:
            pass
        if self.ssl:
            self.sock = self.ssl.wrap_socket(self.sock, server_hostname=self.server)
        flags = clean_session << 1
        parts = [_text(self.client_id)]
        if self.lw_topic:
            flags |= 0x04 | self.lw_qos << 3 | self.lw_retain << 5
            parts += [_text(self.lw_topic), _text(self.lw_msg)]
        if self.user is not None:
            flags |= 0xC0
            parts += [_text(self.user), _text(self.pswd)]
        body = b"\x00\x04MQTT\x04" + bytes([flags]) + struct.pack("!H", self.keepalive) + b"".join(parts)
        size = bytearray(4)
        self.sock.write(b"\x10" + bytes(size[: _put_size(size, 0, len(body))]) + body)
        answer = self._read(4)
        if answer[0] != 0x20:
            raise OSError("no CONNACK")
        if answer[3]:
            raise MQTTException(answer[3])
        self._poller.register(self.sock, select.POLLIN)
        return answer[2] & 1

    def publish(self, topic, msg, retain=False, qos=0):
        """Send `msg` (bytes) on `topic` (ASCII str or bytes) in one write, QoS 0 or 1. Does not
        wait, does not raise for a
        fault of the network: the PUBACK is counted when it comes."""
        if isinstance(topic, str):
            topic = topic.encode()
        start = len(topic)
        size = 2 + start + len(msg) + (2 if qos else 0)
        buffer = self._buffer if size + 5 <= _BUFFER else bytearray(size + 5)
        buffer[0] = 0x30 | qos << 1 | retain
        at = _put_size(buffer, 1, size)
        struct.pack_into("!H", buffer, at, start)
        at += 2
        buffer[at : at + start] = topic
        at += start
        if qos:
            self.pid = self.pid % 65535 + 1
            struct.pack_into("!H", buffer, at, self.pid)
            at += 2
            self.unacked += 1
            self._expect()
        buffer[at : at + len(msg)] = msg
        self._write(buffer, at + len(msg))

    def subscribe(self, topic, qos=1):
        """Subscribe and wait for the SUBACK; messages may arrive meanwhile. MQTTException when the
        broker refuses."""
        self.pid = self.pid % 65535 + 1
        body = struct.pack("!H", self.pid) + _text(topic) + bytes([qos])
        self.sock.write(b"\x82" + bytes([len(body)]) + body)
        self._suback = None
        until = mono_ms() + self.timeout_s * 1000
        while self._suback is None:
            self.wait_msg()
            if mono_ms() > until:
                raise OSError("no SUBACK")
        if self._suback & 0x80:
            raise MQTTException(self._suback)

    def ping(self):
        """Ask for a sign of life; roundtrip_us holds the time of the latest answer."""
        if self._pinged is None:
            self._expect()
            self._pinged = mono_us()
            self._write(b"\xc0\x00", 2)

    def wait_msg(self):
        """Read and handle one packet. Returns the first byte of it; OSError when the connection is
        gone or stands still."""
        op = self._read(1)[0]
        size = self._recv_len()
        kind = op & 0xF0
        if kind == 0x30:
            self._receive(op, size)
        else:
            body = self._read(size) if size <= 16 else self._skip(size)
            if kind == 0x40:
                self.unacked = max(0, self.unacked - 1)
            elif kind == 0xD0 and self._pinged is not None:
                self.roundtrip_us = diff_us(mono_us(), self._pinged)
                self._pinged = None
            elif kind == 0x90:
                self._suback = body[-1]
        self._asked = mono_ms() if self.unacked or self._pinged is not None else None
        return op

    def check_msg(self):
        """wait_msg() if a packet is there, else None."""
        for _ in self._poller.ipoll(0):
            return self.wait_msg()

    def drop(self, why):
        """Close a connection that failed; serve() opens the next one after a pause."""
        if self.sock is not None:
            self._poller.unregister(self.sock)
            self.sock.close()
            self.sock = None
        self.connected = False
        # Half of the pause is left to chance, so that a thousand nodes do not come back in the
        # same second.
        pause = min(self.backoff_most_ms, _BACKOFF_MS << min(self._failures, 8))
        self._retry_at = mono_ms() + pause // 2 + random.getrandbits(16) * pause // 131072
        if self._failures < 3:
            log("warning", "link: %s: %s" % (self.server, _reason(why)))
        self._failures += 1

    def _open(self, wait_ms):
        pause = self._retry_at - mono_ms()
        if pause > 0:
            self._poller.poll(min(pause, wait_ms))
            return False
        self.server, self.port = self.brokers[self._failures % len(self.brokers)]
        self.unacked = 0
        self._pinged = self._asked = self._fault = None
        try:
            self.connect()
            self.connected = True
            self.on_connect()
        except (OSError, MQTTException) as error:
            self.drop(error)
            return False
        self._failures = 0
        self.reconnects += 1
        return True

    def _receive(self, op, size):
        length = struct.unpack("!H", self._read(2))[0]
        if length > _TOPIC_MOST or length + 2 > size:
            raise OSError("bad PUBLISH")
        topic = str(self._read(length), "utf-8")
        size -= length + 2
        pid = None
        if op & 6:
            pid = self._read(2)
            size -= 2
        payload = self._read(size) if size <= self.limit else self._skip(size)
        if pid:
            self.sock.write(b"\x40\x02" + pid)
        self.on_message(topic, payload, bool(op & 1))

    def _write(self, packet, size):
        # A failed write is not raised here: whoever publishes has better things to do. serve()
        # ends the connection.
        self._spoke = mono_ms()
        try:
            self.sock.write(packet, size)
        except OSError as error:
            self._fault = error

    def _expect(self):
        if self._asked is None:
            self._asked = mono_ms()

    def _read(self, size):
        data = self.sock.read(size)
        if data is None or len(data) < size:
            raise OSError("connection closed")
        return data

    def _skip(self, size):
        while size:
            size -= len(self._read(min(size, 256)))

    def _recv_len(self):
        size = 0
        for shift in (0, 7, 14, 21):
            byte = self._read(1)[0]
            size |= (byte & 0x7F) << shift
            if byte < 0x80:
                return size
        raise OSError("bad packet length")


# The base class's versions of what is replaced above would only sit in the heap.
for _name in ("connect", "publish", "subscribe", "wait_msg", "check_msg", "_recv_len", "_send_str"):
    setattr(MQTTClient, _name, None)


def _put_size(buffer, at, size):
    while size > 0x7F:
        buffer[at] = size & 0x7F | 0x80
        size >>= 7
        at += 1
    buffer[at] = size
    return at + 1


def _text(text):
    raw = text.encode() if isinstance(text, str) else text
    return struct.pack("!H", len(raw)) + raw


def _reason(error):
    code = error.args[0] if error.args else ""
    if isinstance(error, MQTTException):
        return "refused (%d)%s" % (code, ": user or password" if code in (4, 5) else "")
    return "errno %d" % code if isinstance(code, int) else str(code)
