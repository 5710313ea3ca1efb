"""HMAC-SHA256 for both interpreters: MicroPython ships no hmac module."""

import hashlib


def hmac_sha256(key, *parts):
    """HMAC-SHA256 (32 bytes) of `parts` (bytes) as if they were joined. RFC 2104."""
    if len(key) > 64:
        key = hashlib.sha256(key).digest()
    key = key + bytes(64 - len(key))
    inner = hashlib.sha256(bytes([b ^ 0x36 for b in key]))
    for part in parts:
        inner.update(part)
    return hashlib.sha256(bytes([b ^ 0x5C for b in key]) + inner.digest()).digest()


def same(expected, given):
    """Whether two signatures (bytes) are equal; takes as long wherever they differ."""
    if len(given) != len(expected):
        return False
    difference = 0
    for a, b in zip(expected, given):  # noqa: B905 (lengths compared above; MicroPython has no strict)
        difference |= a ^ b
    return difference == 0
