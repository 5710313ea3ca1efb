"""Runs on CPython and MicroPython: whatever bytes come in, decode() gives data or Invalid, and
nothing else."""
# ruff: noqa: PT017, PT018, PLW0603 (plain asserts: MicroPython has no pytest)

import random

from schema.errors import Invalid
from schema.message import Message
from schema.wire import decode, dumps, pack

FIELDS = (
    ("ts", "time"),
    ("id", "name"),
    ("n?", "int 0..100"),
    ("t?", "text 20"),
    ("j?", "json"),
    ("m?", "map int"),
    ("b?", "bool"),
)
PLAIN = Message("plain", "", "down", 1, False, "object", FIELDS)
OPEN = Message("open", "", "down", 1, False, "object", FIELDS[:1], "scalar")
FRAME = Message("frame", "", "down", 1, False, "frame", ())
WORD = Message("state", "", "down", 1, False, "word", (("state", "word on off"),))
SIGNED = Message("cmd", "", "down", 1, False, "signed", FIELDS)
GOOD = {
    "ts": 5,
    "id": "a-b",
    "n": 7,
    "t": "x\u00e4",
    "j": {"a": [1, 2.5, None, True, "z"]},
    "m": {"k": -3},
    "b": False,
}

seeds = [
    dumps(GOOD),
    pack(GOOD),
    dumps([1, [2, {"a": 3}]]),
    pack([1, [2.5, {"a": None}], b"raw"]),
    b"on",
    dumps({"sig": "AA==", "body": "{}"}),
]
seeds += [
    b"[" * 900,
    b'{"a":' * 200,
    b"\x91" * 900,
    b"\x81\xa1a" * 300,
    b"\xdf\xff\xff\xff\xff",
    b"\xdd\xff\xff\xff\xff\xc0",
    b"\xdb\x7f\xff\xff\xff",
]
seeds += [
    b"\xc6\xff\xff\xff\xff",
    b'"',
    b"{",
    b"\xc1",
    b"\xd9\x02\xff\xfe",
    b'{"ts":1e999,"id":"a"}',
    b'{"ts":NaN,"id":"a"}',
    b'{"ts":1,"id":"\\ud800"}',
    b"",
]
seeds += [
    b'{"ts":123456789012345678901234567890,"id":"a"}',
    b"\xcb\x7f\xf8\0\0\0\0\0\0",
    b"[" + b"1," * 900 + b"1]",
    b"\xdc\x04\x00" + b"\xc0" * 1024,
]

assert decode(PLAIN, seeds[0]) == GOOD and decode(PLAIN, seeds[1]) == GOOD and decode(WORD, b"on") == "on"
random.seed(1)
refused = taken = 0


def attempt(payload):
    global refused, taken
    for message in (PLAIN, OPEN, FRAME, WORD, SIGNED):
        try:
            decode(message, payload, 4096)
            taken += 1
        except Invalid as error:
            assert error.field and error.problem
            refused += 1


for seed in seeds:
    attempt(seed)
    for _ in range(40):
        broken = bytearray(seed[:400])
        for _ in range(1 + random.getrandbits(2)):
            if broken:
                broken[random.getrandbits(16) % len(broken)] = random.getrandbits(8)
        attempt(bytes(broken))
        attempt(bytes(broken[: random.getrandbits(16) % (len(broken) + 1)]))
for _ in range(300):
    attempt(bytes([random.getrandbits(8) for _ in range(random.getrandbits(6))]))
try:
    decode(PLAIN, b"x" * 1025, 1024)
    raise AssertionError("too large a payload was taken")
except Invalid as error:
    assert error.field == "payload"
assert taken and refused
print("ok")
