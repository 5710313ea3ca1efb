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
        _head(out, len(raw), 0xA0, 31, 0xD9, 0xDA, 0xDB)
        out.extend(raw)
    elif kind is bytes or kind is bytearray:
        _head(out, len(value), 0, -1, 0xC4, 0xC5, 0xC6)
        out.extend(value)
    elif depth == 0:
        raise Invalid("payload", "must be at most %d levels deep" % _MAX_DEPTH)
    elif kind is list or kind is tuple:
        _head(out, len(value), 0x90, 15, 0, 0xDC, 0xDD)
        for item in value:
            _pack(item, out, depth - 1)
    elif kind is dict:
        _head(out, len(value), 0x80, 15, 0, 0xDE, 0xDF)
        for key in value:
            _pack(key, out, depth - 1)
            _pack(value[key], out, depth - 1)
    else:
        raise Invalid("payload", "cannot hold a " + kind.__name__)


def _pack_int(value, out):
    if value >= 0:
        if value < 0x80:
            out.append(value)
        elif value <= 0xFF:
            out.extend(struct.pack(">BB", 0xCC, value))
        elif value <= 0xFFFF:
            out.extend(struct.pack(">BH", 0xCD, value))
        elif value <= 0xFFFFFFFF:
            out.extend(struct.pack(">BI", 0xCE, value))
        elif value <= 0xFFFFFFFFFFFFFFFF:
            out.extend(struct.pack(">BQ", 0xCF, value))
        else:
            raise Invalid("payload", "holds a number over 64 bits")
    elif value >= -32:
        out.append(value + 256)
    elif value >= -0x80:
        out.extend(struct.pack(">Bb", 0xD0, value))
    elif value >= -0x8000:
        out.extend(struct.pack(">Bh", 0xD1, value))
    elif value >= -0x80000000:
        out.extend(struct.pack(">Bi", 0xD2, value))
    elif value >= -0x8000000000000000:
        out.extend(struct.pack(">Bq", 0xD3, value))
    else:
        raise Invalid("payload", "holds a number over 64 bits")


def _head(out, size, small, small_max, code8, code16, code32):
    if size <= small_max:
        out.append(small | size)
    elif size <= 0xFF and code8:
        out.extend(struct.pack(">BB", code8, size))
    elif size <= 0xFFFF:
        out.extend(struct.pack(">BH", code16, size))
    else:
        out.extend(struct.pack(">BI", code32, size))
