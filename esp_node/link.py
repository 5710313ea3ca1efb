"""The node's one MQTT connection: umqtt.simple, made to last.

What differs from the base class: a PUBLISH is one write from a buffer made once, and costs no memory; nothing waits
for a PUBACK in place, so no callback runs inside publish(); packet ids wrap; every read and write has a time limit
that is never lifted (sockets are polled, not switched to non-blocking); an unanswered ping, publish or subscribe ends
the connection; the callback hears the retain flag; and serve() connects again by itself, with back-off, over a list
of brokers. What a connection needs only at its start and end is in dial.py, and what that uses has public names: the
build shortens private ones in each file by itself. MicroPython only: CPython's sockets have no read() and write().
"""

import select

from esp_node import late
from esp_node.client import MQTTClient, MQTTException
from esp_node.clock import ticks_diff, ticks_ms, ticks_us

# The base class's versions of what is replaced here would only sit in the heap. embed.py reads this, too.
for _name in (
    "connect", "disconnect", "publish", "subscribe", "wait_msg", "check_msg", "_recv_len", "_send_str", "ping",
):  # fmt: skip
    setattr(MQTTClient, _name, None)

_BUFFER = 512
_TOPIC_MOST = 256


class _Subscript:
    def __getitem__(self, key):
        return key


_ALL = _Subscript()[:]  # before MicroPython 1.25 each slice written in an expression costs 16 bytes of heap
del _Subscript


class Link(MQTTClient):
    """One client of the broker list `brokers` [(host, port), ...].

    on_connect() is called after each CONNACK; on_message(topic str, payload bytes or None, retained) for each message,
    None when it was longer than `limit` bytes. tls: None, or {"ca": path of a PEM or DER file, "server_hostname": str
    or missing: the broker's host}. buffer: a bytearray of 512 bytes, where one has been made before.

    To read: connected, reconnects, roundtrip_us (of the latest ping, or None), unacked (QoS 1 publishes and
    subscriptions under way), and the counters unsent (publishes while the link was down), too_large (messages beyond
    `limit`) and bad_packets.
    """

    def __init__(
        self, client_id, brokers, user, password, on_connect, on_message,
        keepalive=30, timeout_s=5, limit=4096, tls=None, buffer=None,
    ):  # fmt: skip
        super().__init__(client_id, brokers[0][0], brokers[0][1], user, password, keepalive)
        self.brokers = brokers
        self.on_connect = on_connect
        self.cb = on_message
        self.timeout_s = timeout_s
        self.limit = limit
        self.ssl = tls
        self.backoff_most_ms = 30000
        self.connected = False
        self.reconnects = -1  # the first connection is none
        self.roundtrip_us = None
        self.unacked = self.unsent = self.too_large = self.bad_packets = 0
        self.poller = select.poll()
        self._buffer = buffer or bytearray(_BUFFER)
        self._head = bytearray(3)
        self.pinged = None  # when, in us, while the answer is out
        self.since = 0  # the latest ping, or the end of the connection, in ms
        self.asked = None  # since when we wait for anything, in ms
        self.fault = None
        self.failures = 0
        self.pause = 0  # after the end of the connection

    def serve(self, wait_ms):
        """Handle what arrives within `wait_ms`; returns after the first packet (true), or connects when the link is
        down. Never raises for a fault of the network."""
        came = None
        try:
            if not self.connected:
                return self._open(wait_ms)
            if self.fault is None:
                for _ in self.poller.ipoll(wait_ms):
                    came = self.wait_msg()
            if self.fault is not None:
                raise self.fault
            now = ticks_ms()
            if self.asked is not None and ticks_diff(now, self.asked) > self.timeout_s * 1000:
                raise OSError("no answer for %d s" % self.timeout_s)
            if not 0 <= ticks_diff(now, self.since) <= self.keepalive * 500:
                self.ping()
        except (OSError, MQTTException) as error:
            self.drop(error)
        return came

    def connect(self, clean_session=True, timeout=None):
        """Open the connection and wait for CONNACK; true when the broker knew the session. OSError, or MQTTException
        with the broker's code when it refuses."""
        known = late.call("dial", "connect", self, clean_session, timeout)
        self.since = ticks_ms()
        return known

    def disconnect(self):
        """End the connection in good order."""
        self.write(b"\xe0\x00")
        self.sock.close()

    def publish(self, topic, msg, retain=False, qos=0):
        """Send `msg` (bytes) on `topic` (ASCII str or bytes) in one write, QoS 0 or 1. Does not wait for the PUBACK,
        which is counted when it comes, and does not raise for a fault of the network: False when it was not sent."""
        if self.fault is not None or self.sock is None:
            self.unsent += 1
            return False
        packet = self.head(topic, len(msg), retain, qos)
        packet += msg
        return self.write(packet)

    def head(self, topic, size, retain, qos):
        """The begin of a PUBLISH whose `size` bytes follow it; both may go through write() in pieces."""
        packet = self._begin(0x30 | qos << 1 | retain, (4 if qos else 2) + len(topic) + size)
        _put_short(packet, len(topic))
        packet += topic
        if qos:
            self._put_id(packet)
        return packet

    def write(self, packet):
        """Send `packet` (bytes), or a piece of one; False when it was not sent."""
        # A failed write is not raised here: whoever publishes has better things to do. After a packet that went out
        # in part nothing more can be said: serve() ends the connection.
        if len(packet) > _BUFFER:
            self._buffer = bytearray(_BUFFER)
        if self.fault is None:
            try:
                if self.sock.write(packet) == len(packet):
                    return True
                self.fault = OSError("not sent in time")
            except OSError as error:
                self.fault = error
        self.unsent += 1
        return False

    def subscribe(self, topic, qos=1):
        """Ask for a subscription. The broker takes it in order with what is published later; when it refuses, serve()
        ends the connection."""
        packet = self._begin(0x82, 5 + len(topic))
        self._put_id(packet)
        _put_short(packet, len(topic))
        packet += topic
        packet.append(qos)
        self.write(packet)

    def ping(self):
        """Ask for a sign of life; roundtrip_us holds the time of the latest answer."""
        if self.pinged is None and self.fault is None:
            self._expect()
            self.since = ticks_ms()
            self.pinged = ticks_us()
            self.write(b"\xc0\x00")

    def wait_msg(self):
        """Read and handle one packet. Returns the first byte of it; OSError when the connection is gone or stands
        still."""
        head = self._head
        self._fill(2)
        op = head[0]
        kind = op & 0xF0
        size = head[1]
        if size & 0x80:
            size = self._rest_of_size(size & 0x7F)
        if kind == 0x30:
            self._receive(op, size)
        else:
            if size > 3:
                self._bad()
            self._fill(size)
            if kind == 0xD0:
                if self.pinged is not None:
                    self.roundtrip_us = ticks_diff(ticks_us(), self.pinged)
                    self.pinged = None
                self.failures = 0  # it lasts
            elif self.unacked and (kind == 0x40 or kind == 0x90):
                self.unacked -= 1
                if kind == 0x90 and head[2] & 0x80:
                    raise MQTTException(128)
            else:
                self._bad()
        self.asked = ticks_ms() if self.unacked or self.pinged is not None else None
        return op

    def drop(self, why):
        """Close a connection that failed; serve() opens the next one after a pause."""
        self.since = ticks_ms()
        late.call("dial", "drop", self, why)

    def _open(self, wait_ms):
        pause = self.pause - ticks_diff(ticks_ms(), self.since)
        if 0 < pause <= self.pause:
            for _ in self.poller.ipoll(min(pause, wait_ms)):
                pass
            return
        self.server, self.port = self.brokers[self.failures % len(self.brokers)]
        self.connect()
        self.connected = True
        self.on_connect()
        if self.fault is None:
            self.reconnects += 1

    def _receive(self, op, size):
        self._fill(2)
        length = self._head[0] << 8 | self._head[1]
        size -= length + (4 if op & 6 else 2)
        if size < 0 or op & 4:
            self._bad()
        topic = self._read(length) if length <= _TOPIC_MOST else self._skip(length)
        if op & 6:
            self._fill(2)
        payload = self._read(size) if size <= self.limit and topic is not None else self._skip(size)
        if payload is None:
            self.too_large += 1
        if op & 6:
            ack = self._begin(0x40, 2)
            ack.append(self._head[0])
            ack.append(self._head[1])
            self.write(ack)
        if topic is not None:
            try:
                topic = str(topic, "utf-8")
            except ValueError:
                self._bad()
            self.cb(topic, payload, bool(op & 1))

    def _begin(self, kind, size):
        # The one buffer, emptied (its memory stays) and begun again.
        packet = self._buffer
        packet[_ALL] = b""
        packet.append(kind)
        while size > 0x7F:
            packet.append(size & 0x7F | 0x80)
            size >>= 7
        packet.append(size)
        return packet

    def _put_id(self, packet):
        self.pid = self.pid % 65535 + 1
        _put_short(packet, self.pid)
        self.unacked += 1
        self._expect()

    def _expect(self):
        if self.asked is None:
            self.asked = ticks_ms()

    def _fill(self, size):
        if size and self.sock.readinto(self._head, size) != size:
            raise OSError("connection closed")

    def _read(self, size):
        data = self.sock.read(size)
        if data is None or len(data) < size:
            raise OSError("connection closed")
        return data

    def _skip(self, size):
        while size:
            size -= len(self._read(min(size, 256)))

    def _rest_of_size(self, size):
        for shift in (7, 14, 21):
            self._fill(1)
            byte = self._head[0]
            size |= (byte & 0x7F) << shift
            if byte < 0x80:
                return size
        self._bad()

    def _bad(self):
        self.bad_packets += 1
        raise OSError("bad packet")


def _put_short(packet, number):
    packet.append(number >> 8)
    packet.append(number & 0xFF)
