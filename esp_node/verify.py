"""Signed messages on a board: signature and schema. All of `schema` that is needed comes and goes
with this module."""

import binascii

from esp_node import messages
from schema import trust


def unseal(key, topic, payload, secret):
    """Body (dict) of a `desired` or `cmd` payload; `secret` is the node's HMAC key in base64.
    Invalid names what is wrong."""
    return trust.unseal(messages.get(key), topic, payload, trust.hmac_verifier(binascii.a2b_base64(secret)))
