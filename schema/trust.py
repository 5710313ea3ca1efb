"""Signed messages: sealing, opening, and what a receiver must refuse.

The payload is {"sig": base64, "body": JSON text}; the signature covers topic + newline + body, byte for byte, so no
canonical form is needed. How to sign is a function (bytes) -> bytes, how to verify (bytes, signature) -> bool: Ed25519 on hosts,
HMAC-SHA256 with the node's own key on boards.

What a receiver remembers is a plain dict, kept on disk: {"epoch": int, "revs": {document: rev}, "ids": [last command ids]}.
"""

import binascii
import hashlib

from schema.message import MAX_PAYLOAD, Invalid, check
from schema.wire import decode, dumps, loads

REMEMBERED_IDS = 32


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


def signed_text(topic, body):
    """The bytes that a signature covers."""
    return (topic + "\n" + body).encode()


def seal(message, topic, data, sign):
    """Payload (bytes) of a signed message; `sign(bytes) -> bytes`."""
    check(message, data)
    body = str(dumps(data), "utf-8")
    signature = sign(signed_text(topic, body))
    payload = dumps({"sig": str(binascii.b2a_base64(signature), "ascii").strip(), "body": body})
    if len(payload) > MAX_PAYLOAD:
        raise Invalid("payload", "is %d bytes; at most %d" % (len(payload), MAX_PAYLOAD))
    return payload


def unseal(message, topic, payload, verify, limit=MAX_PAYLOAD):
    """Body (dict) of a signed payload whose signature holds for this topic; Invalid otherwise."""
    envelope = decode(message, payload, limit)
    try:
        signature = binascii.a2b_base64(envelope["sig"])
    except (ValueError, TypeError):
        raise Invalid("sig", "must be base64")
    if not verify(signed_text(topic, envelope["body"]), signature):
        raise Invalid("sig", "does not fit this topic and body")
    body = loads(envelope["body"].encode())
    check(message, body)
    return body


def judge_epoch(seen, body):
    """Refuse a body from an older epoch than one already seen signed."""
    if body["epoch"] < seen.get("epoch", 0):
        raise Invalid("epoch", "%d is older than %d, seen before" % (body["epoch"], seen["epoch"]))


def accept_desired(seen, document, body):
    """What to remember after accepting a desired document. The same revision again is no error but changes nothing.

    Returns (new seen, fresh): fresh is False for the revision that the node already has.
    """
    judge_epoch(seen, body)
    known = seen.get("revs", {}).get(document, 0)
    if body["rev"] < known:
        raise Invalid("rev", "%d is older than %d, seen before" % (body["rev"], known))
    revs = dict(seen.get("revs", {}))
    revs[document] = body["rev"]
    new = dict(seen)
    new["revs"] = revs
    new["epoch"] = body["epoch"]
    return new, body["rev"] > known


def accept_command(seen, body, now, boot, retained=False):
    """What to remember after accepting a command; Invalid names why it is refused.

    now: ms since 1970, 0 while the clock is not set; then only a command for this very boot is accepted.
    """
    if retained:
        raise Invalid("retain", "a command must not be retained")
    judge_epoch(seen, body)
    if body["id"] in seen.get("ids", ()):
        raise Invalid("id", "was used before")
    meant_for = body.get("boot")
    if meant_for is not None and meant_for != boot:
        raise Invalid("boot", "is meant for another start of this node")
    if now == 0 and meant_for is None:
        raise Invalid("boot", "must be given while the node's clock is not set")
    if now and now > body["exp"]:
        raise Invalid("exp", "passed %d ms ago" % (now - body["exp"]))
    new = dict(seen)
    new["epoch"] = body["epoch"]
    new["ids"] = (list(seen.get("ids", ())) + [body["id"]])[-REMEMBERED_IDS:]
    return new
