"""Bytes <-> message. `{` and `[` begin JSON, anything else is msgpack; every receiver accepts both.

encode() and decode() check; whatever is wrong raises Invalid and nothing else.
"""

from schema.message import MAX_DEPTH, MAX_PAYLOAD, Invalid, check, checker
from schema.message import Message as _Message

try:  # CPython: the fast, well-kept libraries; a board has json and our own subset
    import msgpack as _msgpack
    import orjson as _orjson

    def dumps(value):
        """Compact JSON bytes."""
        try:
            return _orjson.dumps(value)
        except TypeError as error:
            raise Invalid("payload", "cannot be written as JSON: " + str(error))

    def _loads(payload):
        return _orjson.loads(payload)

    def _unpack(payload):
        return _msgpack.unpackb(payload, strict_map_key=True, max_map_len=10000, max_array_len=100000)

    def pack(value):
        """msgpack bytes."""
        return _msgpack.packb(value)

except ImportError:
    import json as _json

    def pack(value):
        from schema.pack import pack  # heap is scarce: most boards need msgpack late or never

        return pack(value)

    def _unpack(payload):
        from schema.unpack import unpack

        return unpack(payload)

    def dumps(value):
        return _json.dumps(value, separators=(",", ":")).encode()

    def _loads(payload):
        return _json.loads(payload)


SEALED = _Message(
    "sealed", "", "down", 1, False, "object",
    (("sig", "text 128", "", "base64 of the signature"), ("body", "text 262144", "", "the JSON text that is signed")),
)  # fmt: skip


def encode(message, data, binary=False):
    """Payload (bytes) of checked `data`: str for a word, else dict or list; `binary` writes msgpack."""
    if message.body == "word":
        checker(message.fields[0][1])(message.key, data)
        return data.encode()
    check(message, data)
    payload = pack(data) if binary else dumps(data)
    if len(payload) > MAX_PAYLOAD:
        raise Invalid("payload", "is %d bytes; at most %d" % (len(payload), MAX_PAYLOAD))
    return payload


def decode(message, payload, limit=MAX_PAYLOAD):
    """Data of a payload (bytes), checked. A signed message gives its envelope: see trust.unseal."""
    if len(payload) > limit:
        raise Invalid("payload", "is %d bytes; at most %d" % (len(payload), limit))
    if message.body == "word":
        try:
            word = str(payload, "utf-8")
        except (UnicodeError, ValueError):
            raise Invalid(message.key, "must be a plain word")
        checker(message.fields[0][1])(message.key, word)
        return word
    data = loads(payload)
    check(SEALED if message.body == "signed" else message, data)
    return data


def loads(payload):
    """Value of JSON or msgpack bytes; Invalid for anything else."""
    if not payload:
        raise Invalid("payload", "is empty")
    first = payload[0]
    try:
        if first == 0x7B or first == 0x5B:
            if _too_deep(payload):
                raise Invalid("payload", "must be at most %d levels deep" % MAX_DEPTH)
            return _loads(payload)
        return _unpack(payload)
    except Invalid:
        raise
    except MemoryError:
        raise Invalid("payload", "is too large for this device")
    except Exception as error:  # each library and interpreter has errors of its own; the sender gets one kind
        raise Invalid("payload", "is neither JSON nor msgpack: " + str(error)[:100])


def _too_deep(payload):
    # A parser that recurses must not be led into its own stack: few payloads have so many brackets at all.
    if payload.count(b"[") + payload.count(b"{") <= MAX_DEPTH + 2:
        return False
    depth = deepest = 0
    quoted = escaped = False
    for byte in payload:
        if quoted:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                quoted = False
        elif byte == 0x22:
            quoted = True
        elif byte == 0x7B or byte == 0x5B:
            depth += 1
            if depth > deepest:
                deepest = depth
        elif byte == 0x7D or byte == 0x5D:
            depth -= 1
    return deepest > MAX_DEPTH + 2
