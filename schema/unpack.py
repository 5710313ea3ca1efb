"""Reads the subset of msgpack that pack.py writes, and float32; loaded when the first msgpack
payload arrives."""

import struct

from schema.errors import Invalid

_MAX_DEPTH = 16


def unpack(payload):
    """Value of msgpack bytes; Invalid for what is truncated, too deep, or followed by more
    bytes."""
    value, at = _unpack(payload, 0, _MAX_DEPTH)
    if at != len(payload):
        raise Invalid("payload", "has bytes after its end")
    return value


def _unpack(raw, at, depth):
    if at >= len(raw):
        raise Invalid("payload", "is truncated")
    code = raw[at]
    at += 1
    if code < 0x80:
        return code, at
    if code >= 0xE0:
        return code - 256, at
    if code < 0x90:
        return _unpack_map(raw, at, code & 0x0F, depth)
    if code < 0xA0:
        return _unpack_array(raw, at, code & 0x0F, depth)
    if code < 0xC0:
        return _unpack_bytes(raw, at, code & 0x1F, True)
    if code in _CONSTANTS:
        return _CONSTANTS[code], at
    if code in _NUMBERS:
        form = _NUMBERS[code]
        return _number(raw, at, form), at + struct.calcsize(form)
    if code in _SIZED:
        form, what = _SIZED[code]
        size = _number(raw, at, form)
        at += struct.calcsize(form)
        if what == 0:
            return _unpack_array(raw, at, size, depth)
        if what == 1:
            return _unpack_map(raw, at, size, depth)
        return _unpack_bytes(raw, at, size, what == 2)
    raise Invalid("payload", "holds a msgpack type that is not used here (0x%02x)" % code)


def _number(raw, at, form):
    if at + struct.calcsize(form) > len(raw):
        raise Invalid("payload", "is truncated")
    return struct.unpack_from(form, raw, at)[0]


def _unpack_bytes(raw, at, size, text):
    end = at + size
    if end > len(raw):
        raise Invalid("payload", "is truncated")
    piece = bytes(raw[at:end])
    if text:
        try:
            piece = str(piece, "utf-8")
        except (UnicodeError, ValueError):
            raise Invalid("payload", "holds text that is not UTF-8")
    return piece, end


def _unpack_array(raw, at, size, depth):
    if depth == 0:
        raise Invalid("payload", "must be at most %d levels deep" % _MAX_DEPTH)
    if size > len(raw) - at:
        raise Invalid("payload", "is truncated")
    items = []
    for _ in range(size):
        item, at = _unpack(raw, at, depth - 1)
        items.append(item)
    return items, at


def _unpack_map(raw, at, size, depth):
    if depth == 0:
        raise Invalid("payload", "must be at most %d levels deep" % _MAX_DEPTH)
    if size > (len(raw) - at) // 2:
        raise Invalid("payload", "is truncated")
    items = {}
    for _ in range(size):
        key, at = _unpack(raw, at, depth - 1)
        if not isinstance(key, str):
            raise Invalid("payload", "holds an object key that is not text")
        items[key], at = _unpack(raw, at, depth - 1)
    return items, at


_CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}
_NUMBERS = {
    0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q",
    0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q",
}  # fmt: skip
_SIZED = {
    0xC4: (">B", 3), 0xC5: (">H", 3), 0xC6: (">I", 3), 0xD9: (">B", 2), 0xDA: (">H", 2), 0xDB:
    (">I", 2),
    0xDC: (">H", 0), 0xDD: (">I", 0), 0xDE: (">H", 1), 0xDF: (">I", 1),
}  # fmt: skip
