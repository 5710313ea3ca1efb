"""The subset of msgpack that farmhand uses, for interpreters without the C library.

nil, bool, int (64 bit), float64, str, bin, array, map: byte for byte what PyPI's msgpack writes.
Reading is in unpack.py, so that a
board that only writes frames does not load it.
Source of the format: msgpack specification (github.com/msgpack/msgpack/blob/master/spec.md).
"""

import struct

from schema.errors import Invalid

_MAX_DEPTH = 16


def pack(value):
    """msgpack bytes of a value; Invalid for a type outside the subset."""
    out = bytearray()
    _pack(value, out, _MAX_DEPTH)
    return bytes(out)


def _pack(value, out, depth):
    kind = type(value)
    if value is None:
        out.append(0xC0)
    elif kind is bool:
        out.append(0xC3 if value else 0xC2)
    elif kind is int:
        _pack_int(value, out)
    elif kind is float:
        out.append(0xCB)
        out.extend(struct.pack(">d", value))
    elif kind is str:
        raw = value.encode()
        _head(out, len(raw), 0xA0, 31, 0xD9, 1)
        out.extend(raw)
    elif kind is bytes or kind is bytearray:
        _sized(out, 0xC4, len(value))
        out.extend(value)
    elif depth == 0:
        raise Invalid("payload", "must be at most %d levels deep" % _MAX_DEPTH)
    elif kind is list or kind is tuple:
        _head(out, len(value), 0x90, 15, 0xDC, 2)
        for item in value:
            _pack(item, out, depth - 1)
    elif kind is dict:
        _head(out, len(value), 0x80, 15, 0xDE, 2)
        for key in value:
            _pack(key, out, depth - 1)
            _pack(value[key], out, depth - 1)
    else:
        raise Invalid("payload", "cannot hold a " + kind.__name__)


def _pack_int(value, out):
    if 0 <= value < 0x80:
        out.append(value)
    elif value >= 0:
        _sized(out, 0xCC, value)
    elif value >= -32:
        out.append(value + 256)
    else:
        code, size = 0xD0, 1
        while value < -(1 << 8 * size - 1):
            code, size = code + 1, size * 2
        _write(out, code, value + (1 << 8 * size), size)


def _head(out, count, small, small_max, code, size):
    if count <= small_max:
        out.append(small | count)
    else:
        _sized(out, code, count, size)


def _sized(out, code, value, size=1):
    # The codes of a family stand in a row, each for twice the bytes of the one before.
    while value >> 8 * size:
        code, size = code + 1, size * 2
    _write(out, code, value, size)


def _write(out, code, value, size):
    if size > 8:
        raise Invalid("payload", "holds a number over 64 bits")
    out.append(code)
    out.extend(value.to_bytes(size, "big"))
