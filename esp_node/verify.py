"""What a board receives, with the verdicts of schema/message.py in a tenth of its heap.

The table in received.py names the fields and their kinds; here are only the kinds that occur there. A board's payload
is too short for the limits on the number of items. Invalid names what is wrong.
"""

import json

from esp_node.received import RECEIVED
from schema.errors import Invalid
from schema.text import is_id, is_name, is_text, shown

_MAX_DEPTH = 8
_MAX_TEXT = 262144


def open_sealed(node, channel, name, topic, payload):
    """A signed message came as <channel>/<name>. Returns what is to be done next."""
    return "seal", "check", node, channel, name, topic, read("sealed", payload)


def opened(node, channel, name, body):
    """Its signature fits: what is to be done with its body (bytes)."""
    body = read(channel, body)
    if channel == "desired":
        return "control", "desired", node, name, body
    return "control", "command", node, name, body


def read(key, payload):
    """Data (dict) of an unsigned payload (bytes), checked against the line `key` of the table."""
    if not payload:
        raise Invalid("payload", "is empty")
    try:
        data = json.loads(payload) if payload[0] in b"{[" else _unpack(payload)
    except Invalid:
        raise
    except MemoryError:
        raise Invalid("payload", "is too large for this device")
    except Exception as error:  # each interpreter has errors of its own; the sender gets one kind
        raise Invalid("payload", "is neither JSON nor msgpack: " + str(error)[:100])
    if not isinstance(data, dict):
        raise Invalid(key, "must be an object")
    kinds = {}
    for field in RECEIVED[key].split(";"):
        name, kind = field.split(":")
        kinds[name] = kind
    for name in data:
        kind = kinds.get(name) or kinds.get(shown(name) + "?")
        if kind is None:
            raise Invalid(shown(name), "unknown field; allowed: " + ", ".join(sorted(kinds)).replace("?", ""))
        _check(name, kind, data[name])
    for name in kinds:
        if not name.endswith("?") and name not in data:
            raise Invalid(name, "missing")
    return data


def _unpack(payload):
    from schema.unpack import unpack  # hardly anybody sends msgpack to a board

    return unpack(payload)


def _check(field, kind, value):
    word, _, rest = kind.partition(" ")
    if word == "json":
        _check_json(field, value, _MAX_DEPTH)
    elif word == "text":
        is_text(field, value, int(rest))
    elif word == "id":
        is_id(field, value)
    elif word == "name":
        is_name(field, value)
    elif word == "bytes":
        if not isinstance(value, (bytes, bytearray)):
            raise Invalid(field, "must be binary (send it as msgpack)")
    else:
        low, _, high = rest.partition("..")
        if type(value) is not int or not int(low) <= value <= int(high):
            raise Invalid(field, "must be a whole number from %s to %s" % (low, high))


def _check_json(field, value, depth):
    kind = type(value)
    if kind is dict or kind is list:
        if depth == 0:
            raise Invalid(field, "must be at most %d levels deep" % _MAX_DEPTH)
        for item in value:
            if kind is dict:
                is_text(field, item, 256)
                item = value[item]
            _check_json(field, item, depth - 1)
    elif kind is str:
        is_text(field, value, _MAX_TEXT)
    elif kind is float and value - value != 0 or kind is int and not -(2**63) <= value < 2**63:
        raise Invalid(field, "must be a finite number of 64 bits")
