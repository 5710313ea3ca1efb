"""Kinds of fields, the `Message` declaration, and `check()`.

A kind is a short text, so that declarations stay plain data on every interpreter:

    int | int 0..100      whole number, 64 bit, or within the range
    num                   whole number or finite float
    bool | time           time: milliseconds since 1970 UTC, 0 while the clock is not set
    text | text 64        characters without NUL, at most 1024 or the number given
    word a b c            one of the words
    id | name             topic levels: [a-z0-9][a-z0-9_-]{0,62}, [A-Za-z0-9_-]{1,64}
    bytes                 binary (msgpack only)
    scalar                null, bool, num or text: a telemetry value
    json                  anything JSON can hold, at most 8 levels deep
    units                 object of part -> object of field -> unit (see units.py)
    list KIND | map KIND  array, or object with names as keys
    record job            an object of its own, declared under that key in mining.RECORDS

The kinds word, bool, bytes, units, list and record are in kinds.py. Written for the MicroPython subset: no typing, no
dataclasses, no reliance on the order of dicts.
"""

from schema.errors import Invalid
from schema.text import is_id, is_name, is_text, shown

MAX_PAYLOAD = 256 * 1024
MAX_DEPTH = 8
MAX_ITEMS = 10000
INT_MIN = -(2**63)
INT_MAX = 2**63 - 1
TIME_MAX = 2**53 - 1  # sums of two times still fit 64 bits, and every JSON reader can hold them


class Message:
    """One declaration.

    key     channel, or channel/name where that name has fields of its own
    topic   template below the root, for example "{domain}/{node}/{device}/tele/{name}"
    way     up (to the commander), down (from it), across (xdata), home (stays in its domain), farm (farm-wide)
    qos     the QoS it is sent with; retain: whether the broker keeps it
    body    word (plain text), object, frame (array) or signed (an object sealed by trust.py)
    fields  tuples (name, kind, unit, text); a name that ends in "?" may be left out
    extra   kind of further, undeclared fields, or None: an undeclared field is refused
    """

    def __init__(self, key, topic, way, qos, retain, body, fields, extra=None, text=""):
        self.key = key
        self.topic = topic
        self.way = way
        self.qos = qos
        self.retain = retain
        self.body = body
        self.fields = fields
        self.extra = extra
        self.text = text
        self._checks = None

    def checks(self):
        """(checker by field name, names of required fields), built at the first use."""
        if self._checks is None:
            by_name = {}
            required = []
            for field in self.fields:
                name = field[0]
                if name[-1] == "?":
                    name = name[:-1]
                else:
                    required.append(name)
                by_name[name] = checker(field[1])
            self._checks = (by_name, tuple(required), self.extra and checker(self.extra))
        return self._checks


def check(message, data):
    """Raise Invalid unless `data` (dict, or list for a frame) is what `message` declares."""
    if message.body == "frame":
        if not isinstance(data, (list, tuple)):
            raise Invalid(message.key, "must be an array")
        _json(message.key, data, MAX_DEPTH)
        return
    if not isinstance(data, dict):
        raise Invalid(message.key, "must be an object")
    by_name, required, extra = message.checks()
    for name, value in data.items():
        test = by_name.get(name)
        if test is not None:
            test(name, value)
        elif extra is not None:
            is_name(name, name)
            extra(name, value)
        else:
            raise Invalid(shown(name), "unknown field; allowed: " + ", ".join(sorted(by_name)))
    for name in required:
        if name not in data:
            raise Invalid(name, "missing")


def is_int(field, value):
    if type(value) is not int or not INT_MIN <= value <= INT_MAX:
        raise Invalid(field, "must be a whole number of 64 bits")


def is_num(field, value):
    kind = type(value)
    if kind is float:
        if value != value or value - value != 0:
            raise Invalid(field, "must be a finite number")
    elif kind is not int or not INT_MIN <= value <= INT_MAX:
        raise Invalid(field, "must be a number")


def is_time(field, value):
    if type(value) is not int or not 0 <= value <= TIME_MAX:
        raise Invalid(field, "must be milliseconds since 1970, or 0 for a clock that is not set")


def is_scalar(field, value):
    kind = type(value)
    if kind is int or kind is float:
        is_num(field, value)
    elif kind is str:
        is_text(field, value)
    elif value is not None and kind is not bool:
        raise Invalid(field, "must be null, true, false, a number or text")


def is_json(field, value):
    _json(field, value, MAX_DEPTH)


def _json(field, value, depth):
    kind = type(value)
    if kind is dict or kind is list or kind is tuple:
        if depth == 0:
            raise Invalid(field, "must be at most %d levels deep" % MAX_DEPTH)
        if len(value) > MAX_ITEMS:
            raise Invalid(field, "must have at most %d items" % MAX_ITEMS)
        if kind is dict:
            for key in value:
                is_text(field, key, 256)
                _json(field, value[key], depth - 1)
        else:
            for item in value:
                _json(field, item, depth - 1)
    elif kind is str:
        is_text(field, value, MAX_PAYLOAD)
    else:
        is_scalar(field, value)


def checker(kind):
    """The function (field, value) -> None that raises Invalid, for a kind as text. Built once per kind."""
    test = _CHECKERS.get(kind)
    if test is None:
        test = _CHECKERS[kind] = _parametrised(kind)
    return test


def _parametrised(kind):
    word, _, rest = kind.partition(" ")
    if word == "int":
        low, _, high = rest.partition("..")
        return _ranged(int(low), int(high))
    if word == "text":
        most = int(rest)
        return lambda field, value: is_text(field, value, most)
    if word == "map":
        return _map_of(checker(rest))
    from schema.kinds import find  # the kinds that a board does not receive stay out of its heap

    return find(word, rest)


def _ranged(low, high):
    def test(field, value):
        if type(value) is not int or not low <= value <= high:
            raise Invalid(field, "must be a whole number from %d to %d" % (low, high))

    return test


def _map_of(test_item):
    def test(field, value):
        if not isinstance(value, dict):
            raise Invalid(field, "must be an object")
        if len(value) > MAX_ITEMS:
            raise Invalid(field, "must have at most %d items" % MAX_ITEMS)
        for key in value:
            is_text(field, key, 256)
            test_item("%s.%s" % (field, key), value[key])

    return test


_CHECKERS = {
    "int": is_int,
    "num": is_num,
    "time": is_time,
    "text": is_text,
    "id": is_id,
    "name": is_name,
    "scalar": is_scalar,
    "json": is_json,
}
