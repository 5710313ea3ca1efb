"""Signed messages: sealing, opening, and what a receiver must refuse.

The payload is {"sig": base64, "body": JSON text}; the signature covers topic + newline + body,
byte for byte, so no
canonical form is needed. How to sign is a function (bytes) -> bytes, how to verify (bytes,
signature) -> bool: Ed25519 on hosts,
HMAC-SHA256 with the node's own key on boards. What a receiver must remember
and refuse beyond that is in judge.py.
"""

import binascii

from schema.errors import Invalid
from schema.judge import accept_command, accept_desired, judge_epoch  # noqa: F401 (part of this module's face)
from schema.mac import hmac_sha256, same
from schema.message import MAX_PAYLOAD, check
from schema.seal import seal, signed_text  # noqa: F401
from schema.wire import decode, loads


def hmac_verifier(key):
    """verify(text, signature) for a node's key; compares in constant time."""
    return lambda text, signature: same(hmac_sha256(key, text), signature)


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
