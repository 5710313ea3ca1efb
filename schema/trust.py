"""Signed messages: sealing, opening, and what a receiver must refuse.

The payload is {"sig": base64, "body": JSON text}; the signature covers topic + newline + body,
byte for byte, so no
canonical form is needed. How to sign is a function (bytes) -> bytes, how to verify (bytes,
signature) -> bool: Ed25519 on hosts,
HMAC-SHA256 with the node's own key on boards. What a receiver must remember
and refuse beyond that is in judge.py.
"""

import binascii
import hashlib
import sys

from schema.errors import Invalid
from schema.message import MAX_PAYLOAD, check
from schema.wire import decode, loads

if sys.implementation.name != "micropython":  # a board seals nothing, and loads judge.py by itself
    from schema.judge import accept_command, accept_desired, judge_epoch  # noqa: F401 (part of this module's face)
    from schema.seal import seal, signed_text  # noqa: F401


def hmac_sha256(key, text):
    """HMAC-SHA256 (32 bytes) of `text` (bytes). RFC 2104; MicroPython ships no hmac module."""
    if len(key) > 64:
        key = hashlib.sha256(key).digest()
    key = key + bytes(64 - len(key))
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in key) + text).digest()
    return hashlib.sha256(bytes(b ^ 0x5C for b in key) + inner).digest()


def hmac_verifier(key):
    """verify(text, signature) for a node's key; compares in constant time."""

    def verify(text, signature):
        expected = hmac_sha256(key, text)
        if len(signature) != len(expected):
            return False
        difference = 0
        for a, b in zip(expected, signature):  # noqa: B905 (lengths compared above; MicroPython has no strict)
            difference |= a ^ b
        return difference == 0

    return verify


def unseal(message, topic, payload, verify, limit=MAX_PAYLOAD):
    """Body (dict) of a signed payload whose signature holds for this topic; Invalid otherwise."""
    envelope = decode(message, payload, limit)
    try:
        signature = binascii.a2b_base64(envelope["sig"])
    except (ValueError, TypeError):
        raise Invalid("sig", "must be base64")
    if not verify((topic + "\n" + envelope["body"]).encode(), signature):
        raise Invalid("sig", "does not fit this topic and body")
    body = loads(envelope["body"].encode())
    check(message, body)
    return body
