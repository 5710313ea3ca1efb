"""Runs on CPython and MicroPython: the real Link over sockets with lwIP's rules, on a clock that waiting moves.

As in MicroPython's lwIP and ESP32 ports: setblocking(True) sets the time limit to infinity, each wait for more bytes
has the limit of its own, a read that ends early gives what there was, a write takes what fits and then times out; no
setsockopt. What would block for ever fails the test.
"""
# ruff: noqa: PT018 (plain asserts: MicroPython has no pytest)

import binascii
import gc
import struct
import sys

now = [1000]
air = []  # one dict per connection to come: what goes wrong
made = []
HANG = RuntimeError("blocked for ever")


def begin(packet):
    """Where the body of a packet begins."""
    return 2 if packet[1] < 128 else 3 if packet[2] < 128 else 4


class Socket:
    def __init__(self):
        self.wrong = air.pop(0) if air else {}
        self.limit = None  # ms
        self.inbox = b""
        self.sent = []
        self.open = True
        made.append(self)

    def settimeout(self, seconds):
        self.limit = seconds * 1000

    def setblocking(self, on):
        self.limit = None if on else 0

    def connect(self, address):
        if "unreachable" in self.wrong:
            self.wait()

    def wait(self):
        """Nothing comes, ever."""
        if self.limit is None:
            raise HANG
        now[0] += self.limit
        raise OSError(110)

    def read(self, size):
        found = self.inbox[:size]
        self.inbox = self.inbox[size:]
        if len(found) < size and "closed" not in self.wrong:
            self.wait()
        return found

    def readinto(self, buffer, size):
        found = self.read(size)
        for at in range(len(found)):
            buffer[at] = found[at]
        return len(found)

    def write(self, data):
        assert self.open
        if len(data) > self.wrong.get("room", 99999):
            if "short" in self.wrong:
                return self.wrong["room"]
            self.wait()
        self.sent.append(bytes(data))
        kind = data[0] & 0xF0
        if kind not in self.wrong.get("mute", ()):
            self.answer(kind, bytes(data))
        return len(data)

    def answer(self, kind, data):
        if kind == 0x10:
            self.inbox += self.wrong.get("connack", b"\x20\x02\0\0")
        elif kind == 0x80:
            self.inbox += b"\x90\x03" + data[2:4] + self.wrong.get("suback", b"\x01")
        elif kind == 0xC0:
            self.inbox += b"\xd0\0"
        elif data[0] & 0xF6 == 0x32:
            at = begin(data)
            at += 2 + struct.unpack("!H", data[at : at + 2])[0]
            self.inbox += b"\x40\x02" + data[at : at + 2]

    def close(self):
        self.open = False


class Poller:
    def __init__(self):
        self.watched = []

    def register(self, sock, events):
        self.watched.append(sock)

    def unregister(self, sock):
        self.watched.remove(sock)

    def ipoll(self, wait_ms):
        for sock in self.watched:
            if sock.inbox or "closed" in sock.wrong:
                yield sock, 1
                return
        now[0] += wait_ms


class Sockets:
    AF_INET = SOCK_STREAM = 1
    socket = Socket

    @staticmethod
    def getaddrinfo(host, port):
        return [(2, 1, 0, "", (host, port))]


class Select:
    POLLIN = 1
    poll = Poller


if sys.implementation.name == "cpython":
    sys.path.append(__file__[: __file__.rfind("/tests/")] + "/.local/micropython")
    sys.modules.update({"usocket": Sockets, "ustruct": struct, "ubinascii": binascii})
sys.modules["socket"] = Sockets
sys.modules["select"] = Select

from esp_node import link as module  # noqa: E402 (after the sockets are there)
from esp_node.logger import last  # noqa: E402

module.ticks_ms = lambda: now[0]
module.ticks_us = lambda: now[0] * 1000
module.ticks_diff = lambda new, old: new - old
heard = []


def subscribe():
    link.subscribe(b"in/#")


def fresh(*connections, on_connect=subscribe):
    """A link that has had these connections before it, and its socket."""
    del air[:], made[:]
    air.extend(connections)
    link = module.Link(
        b"c", [("one", 1883), ("two", 1883)], b"u", b"p", on_connect, lambda *got: heard.append(got), 20, 5
    )
    link.backoff_most_ms = 4000
    return link


def until(what, limit_ms):
    """Serve until `what()`; it must come in `limit_ms` of the clock."""
    began = now[0]
    while not what():
        link.serve(1000)
        assert now[0] - began <= limit_ms, (now[0] - began, last())
    return now[0] - began


def settled():
    return link.connected and not link.unacked


def again():
    return len(made) == 2


def settled_again():
    return settled() and again()


def next_attempt():
    """How long until the next socket."""
    count = len(made)
    return until(lambda: len(made) > count, 4100)


# All well: the subscription, and a publish of one write; a board without setsockopt; the time limit stays.
link = fresh()
until(settled, 100)
assert [packet[0] for packet in made[0].sent] == [0x10, 0x82] and made[0].limit == 5000
assert made[0].sent[0] == b"\x10\x13\0\x04MQTT\x04\xc2\0\x14\0\x01c\0\x01u\0\x01p"
for size in (1, 100, 130, 511, 600, 1200, 20000 if sys.implementation.name == "cpython" else 400, 5):
    for qos in (0, 1):
        before = len(made[0].sent)
        assert link.publish(b"out/x", b"y" * size, True, qos)
        packet = made[0].sent[-1]
        assert len(made[0].sent) == before + 1 and packet[0] == 0x31 + 2 * qos
        at = begin(packet)
        length = sum((packet[1 + i] & 127) << 7 * i for i in range(at - 1))
        assert length == len(packet) - at == 7 + 2 * qos + size
        assert packet[at : at + 7] == b"\0\x05out/x" and packet.endswith(b"y" * size)
        until(settled, 100)
        del made[0].sent[:]
link.pid = 65534
for pid in (b"\xff\xff", b"\0\x01"):
    link.publish(b"a", b"b", False, 1)
    assert made[0].sent[-1] == b"\x32\x06\0\x01a" + pid + b"b"
gc.collect()
made[0].inbox += b"\x33\x09\0\x04in/1\0\x07!" + b"\x30\x06\0\x04in/2" + b"\x38\x07\0\x04in/3?"
until(lambda: len(heard) == 3, 100)
assert heard == [("in/1", b"!", True), ("in/2", b"", False), ("in/3", b"?", False)]
assert made[0].sent[-1] == b"\x40\x02\0\x07"
link.limit = 50
made[0].inbox += b"\x30\xa0\x06\0\x04in/4" + b"z" * 794 + b"\x30\x07\0\x04in/5!"
until(lambda: len(heard) == 5, 100)
assert heard[3:] == [("in/4", None, False), ("in/5", b"!", False)] and link.too_large == 1 and link.bad_packets == 0
made[0].inbox += b"\x32\xb1\x02\x01\x2c" + b"t" * 300 + b"\x00\x09!" + b"\x30\x07\0\x04in/6!"  # a topic too long for us
until(lambda: len(heard) == 6, 100)
assert heard[5] == ("in/6", b"!", False) and link.too_large == 2 and made[0].sent[-1] == b"\x40\x02\0\x09"
assert link.reconnects == 0 and len(made) == 1
for _ in range(100):  # nobody says anything: it asks, every half keepalive
    link.serve(1000)
assert link.roundtrip_us is not None and made[0].sent.count(b"\xc0\0") in (8, 9) and len(made) == 1

# Whatever does not come: after the time limit the connection is left, and the next one tried.
for wrong in (
    {"unreachable": 1},
    {"mute": (0x10,)},  # CONNACK
    {"connack": b"\x20"},  # half of it
    {"connack": b"\x30\0\0\0"},
    {"connack": b"\x20\x02\0\x05"},
    {"mute": (0x80,)},  # SUBACK
    {"suback": b"\x80"},
    {"room": 10},  # CONNECT does not fit
):
    link = fresh(wrong)
    until(settled_again, 8000)
    assert not made[0].open and made[1].open, wrong

# Half a packet, a missing PUBACK, a missing PINGRESP, a closed connection, and packets that are none.
for arrives in (
    b"\x30", b"\x30\x09", b"\x30\x09\0", b"\x30\x09\0\x04in", b"\x30\x09\0\x04in/1a", b"\x40\x02",
    b"\x32\x07\0\x01a\0", b"\x30\xff",
):  # fmt: skip
    link = fresh()
    until(settled, 100)
    if arrives[0] == 0x40:
        link.publish(b"a", b"b", False, 1)
    made[0].inbox = arrives
    assert until(again, 6000) >= 5000, arrives
    assert link.bad_packets == 0
for arrives in (
    b"\x30\xff\xff\xff\xff\x01", b"\x30\x02\0\x04in", b"\x30\x08\x04\0in/1a!", b"\x34\x09\0\x04in/1\0\x01!",
    b"\x30\x04\0\x01\xff!", b"\x50\x02\0\0", b"\x40\x7f", b"\x40\x02\0\x01",
):  # fmt: skip
    link = fresh()
    until(settled, 100)
    made[0].inbox = arrives
    assert until(again, 1000) < 1000 and link.bad_packets == 1, arrives
link = fresh({"mute": (0x30,)})
until(settled, 100)
link.publish(b"a", b"b", False, 1)
assert until(again, 7500) >= 5000
link = fresh({"mute": (0xC0,)})
assert until(again, 18000) >= 15000  # half the keepalive, the time limit
link = fresh({"closed": 1})
until(again, 1000)

# A full send buffer: one publish waits for the time limit, the next ones not at all, and nothing follows a torn packet.
for wrong in ({"room": 100}, {"room": 100, "short": 1}):
    link = fresh(wrong)
    until(settled, 100)
    began, sent = now[0], len(made[0].sent)
    assert link.publish(b"a", b"b" * 90) and not link.publish(b"a", b"b" * 200) and not link.publish(b"a", b"b")
    assert now[0] - began <= 5000 and len(made[0].sent) == sent + 1 and link.unsent == 2
    until(settled_again, 1000)
    assert not made[0].open and link.publish(b"a", b"b") and link.reconnects == 1

# While it is down publishes are counted, and cost no time; the pauses grow, and chance has a hand in them.
del heard[:]
link = fresh(*[{"closed": 1, "mute": (0x10,)}] * 12)
link.serve(0)
began = now[0]
assert not link.publish(b"a", b"b") and not link.publish(b"a", b"b", True, 1) and link.unsent == 2 and now[0] == began
pauses = []
while len(made) < 12:
    pauses.append(next_attempt())
for at in range(len(pauses)):
    most = min(4000, 250 << at)
    assert most // 2 <= pauses[at] <= most + 1, pauses
assert len(set(pauses[5:])) > 2, pauses
assert last()[-1].startswith("warning: link: one: no CONNACK")

# Thrown out again and again (two nodes of one name): it does not come back in the same breath each time.
link = fresh(*[{}] * 50)
until(settled, 100)
began = now[0]
while len(made) < 12:
    made[-1].wrong = {"closed": 1}
    next_attempt()
assert now[0] - began > 15000, now[0] - began
for _ in range(30):  # now it lasts, and the next break is the first again
    link.serve(1000)
made[-1].wrong = {"closed": 1}
assert next_attempt() <= 250
print("ok")
