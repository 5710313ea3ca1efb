"""Enrolment tokens: one string that a person copies to a new node.

fh1.<base64url of {"d": domain, "i": token id, "s": secret, "f": CA fingerprint in hex, or ""}>
"""

import binascii
import json

from schema.errors import Invalid
from schema.text import is_id

PREFIX = "fh1."


def build(domain, token_id, secret, fingerprint=""):
    """The token (str); `secret` is the MQTT password of the user `token_id`."""
    text = json.dumps({"d": domain, "i": token_id, "s": secret, "f": fingerprint})
    raw = str(binascii.b2a_base64(text.encode()), "ascii").strip()
    return PREFIX + raw.replace("+", "-").replace("/", "_").rstrip("=")


def parse(text):
    """(domain, token id, secret, fingerprint) of a token; Invalid when it is none, or was not
    copied whole."""
    if not isinstance(text, str) or not text.startswith(PREFIX):
        raise Invalid("token", "must begin with " + PREFIX)
    raw = text[len(PREFIX) :].strip().replace("-", "+").replace("_", "/")
    try:
        parts = json.loads(binascii.a2b_base64(raw + "=" * (-len(raw) % 4)))
        values = tuple([parts[key] for key in "disf"])
    except (ValueError, KeyError, TypeError):
        raise Invalid("token", "is damaged: copy it again, whole")
    if not all(isinstance(value, str) for value in values):
        raise Invalid("token", "is damaged: copy it again, whole")
    is_id("token.domain", values[0])
    is_id("token.id", values[1])
    return values
