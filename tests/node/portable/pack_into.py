"""Runs on CPython and MicroPython: a value goes into a buffer that is there, or is refused; nothing around it changes,
and whole numbers cost no memory."""
# ruff: noqa: PT017, UP031 (plain asserts: MicroPython has no pytest)

import gc

from schema.errors import Invalid
from schema.pack import head, pack, pack_into

VALUES = (
    None, True, 0, 127, 128, 255, 256, 65535, 65536, 2**32, 2**64 - 1, -1, -32, -33, -128, -129, -32769, -(2**31) - 1,
    -(2**63), 1.5, "", "x" * 31, "x" * 32, "ä" * 200, b"", b"x" * 300, [], [1] * 15, [300] * 16, {"a": [1, "b", None]},
    [[1, 1.5, "abc"], {"k": {"l": -5}}],
)  # fmt: skip


def refused(problem, function, *arguments):
    try:
        function(*arguments)
    except Invalid as error:
        assert problem in str(error), error
    else:
        raise AssertionError("no Invalid: " + problem)


for value in VALUES:
    whole = pack(value)
    size = len(whole)
    buffer = bytearray(b"\xaa" * (size + 8))
    assert pack_into(buffer, 5, value) == size + 5
    assert bytes(buffer) == b"\xaa" * 5 + whole + b"\xaa" * 3, value
    for room in range(size):
        buffer = bytearray(room + 3)
        refused("is larger than the buffer of %d bytes" % (room + 3), pack_into, buffer, 3, value)
        assert len(buffer) == room + 3, "the buffer grew"
for value in (2**64, -(2**63) - 1):
    refused("holds a number over 64 bits", pack, value)
refused("cannot hold a set", pack, [{1}])
deep = 1
for _ in range(17):
    deep = [deep]
refused("must be at most 16 levels deep", pack, deep)
buffer = bytearray(9)
for count in (0, 15, 16, 1000):
    assert bytes(buffer[: head(buffer, 0, count)]) == pack([0] * count)[: 1 if count < 16 else 3]

if hasattr(gc, "mem_alloc"):
    buffer = bytearray(400)
    numbers = [-(2**31), -40000, -200, -40, -3, 0, 7, 200, 40000, 2**31] * 5
    pack_into(buffer, 0, numbers)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    pack_into(buffer, 0, numbers)
    after = gc.mem_alloc()
    gc.enable()
    assert after == before, after - before
print("ok")
