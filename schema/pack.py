"""The subset of msgpack that farmhand writes, for interpreters without the C library: into a buffer that is made once.

nil, bool, int (64 bit), float64, str, bin, array, map: byte for byte what PyPI's msgpack writes. Whole numbers, the
bulk of a frame, are written without touching the heap. Reading is in unpack.py, so that a board that only writes
frames does not load it. Source of the format: msgpack specification
(github.com/msgpack/msgpack/blob/master/spec.md).
"""

import struct

from schema.errors import Invalid

_MAX_DEPTH = 16


def pack(value):
    """msgpack bytes of a value; Invalid for a type outside the subset."""
    size = 64
    while True:
        buffer = bytearray(size)
        try:
            return bytes(memoryview(buffer)[: _put(buffer, 0, value, _MAX_DEPTH)])
        except IndexError:
            size *= 4


def pack_into(buffer, at, value):
    """Write a value into the bytearray `buffer` from `at` on; returns where it ends. Invalid when it does not fit: what
    `buffer` holds from `at` on is then undefined."""
    try:
        return _put(buffer, at, value, _MAX_DEPTH)
    except IndexError:
        raise Invalid("payload", "is larger than the buffer of %d bytes" % len(buffer))


def _put(buffer, at, value, depth):
    kind = type(value)
    if kind is int:
        if -33 < value < 0x80:
            buffer[at] = value & 0xFF
            return at + 1
        if value < 0:
            return _sized(buffer, at, 0xD0, value, 1, ~value << 1)
        return _sized(buffer, at, 0xCC, value, 1, value)
    if value is None or kind is bool:
        buffer[at] = 0xC0 if value is None else 0xC2 + value
        return at + 1
    if kind is float:
        buffer[at + 8] = 0  # IndexError here, where struct has errors of its own
        buffer[at] = 0xCB
        struct.pack_into(">d", buffer, at + 1, value)
        return at + 9
    if kind is str:
        value = value.encode()
        at = head(buffer, at, len(value), 0xA0, 31, 0xD9, 1)
        kind = bytes
    elif kind is bytes or kind is bytearray:
        at = _sized(buffer, at, 0xC4, len(value), 1, len(value))
        kind = bytes
    if kind is bytes:
        if at + len(value) > len(buffer):
            raise IndexError  # a slice would make the buffer longer
        buffer[at : at + len(value)] = value
        return at + len(value)
    if depth == 0:
        raise Invalid("payload", "must be at most %d levels deep" % _MAX_DEPTH)
    if kind is list or kind is tuple:
        at = head(buffer, at, len(value))
        for item in value:
            at = _put(buffer, at, item, depth - 1)
    elif kind is dict:
        at = head(buffer, at, len(value), 0x80, 15, 0xDE, 2)
        for key in value:
            at = _put(buffer, _put(buffer, at, key, depth - 1), value[key], depth - 1)
    else:
        raise Invalid("payload", "cannot hold a " + kind.__name__)
    return at


def head(buffer, at, count, small=0x90, small_max=15, code=0xDC, size=2):
    """Write the head of an array, whose `count` items are to follow (with other codes, of a text or map). Returns where
    it ends; IndexError when it does not fit."""
    if count > small_max:
        return _sized(buffer, at, code, count, size, count)
    buffer[at] = small | count
    return at + 1


def _sized(buffer, at, code, value, size, bits):
    # The codes of a family stand in a row, each for twice the bytes of the one before.
    while bits >> 8 * size:
        code += 1
        size *= 2
    if size > 8:
        raise Invalid("payload", "holds a number over 64 bits")
    buffer[at] = code
    at += size
    for back in range(size):
        buffer[at - back] = value & 0xFF
        value >>= 8
    return at + 1
