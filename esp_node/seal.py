"""Whether what came was signed by the commander. Loaded for each, between the two halves of verify.py."""

import binascii

from schema.errors import Invalid
from schema.mac import hmac_sha256, same


def check(node, channel, name, topic, envelope):
    """The signature in `envelope` {sig, body} must fit the topic and the body. Returns what is to be done next."""
    try:
        signature = binascii.a2b_base64(envelope["sig"])
    except (ValueError, TypeError):
        raise Invalid("sig", "must be base64")
    body = envelope.pop("body").encode()
    if not same(hmac_sha256(binascii.a2b_base64(node.verify), (topic + "\n").encode(), body), signature):
        raise Invalid("sig", "does not fit this topic and body")
    return "verify", "opened", node, channel, name, body
