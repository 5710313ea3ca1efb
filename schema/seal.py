"""Making signed messages; for hosts. trust.py opens them."""

import binascii

from schema.errors import Invalid
from schema.message import MAX_PAYLOAD, check
from schema.wire import dumps


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
