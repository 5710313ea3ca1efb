"""The kinds of fields that a board sends but does not receive; message.py loads this file when one
is first used."""

from schema.message import MAX_ITEMS, Invalid, check, checker


def find(word, rest):
    """The checker (field, value) -> None of the kind `word`, with what follows the word in
    `rest`."""
    if word == "word":
        return _one_of(tuple(rest.split(" ")))
    if word == "list":
        return _list_of(checker(rest))
    if word == "bool":
        return _bool
    if word == "bytes":
        return _bytes
    if word == "record":
        return _record(rest)
    if word == "units":
        from schema.units import check_units

        return check_units
    raise ValueError("no such kind of field: " + (word + " " + rest).strip())


def _bool(field, value):
    if value is not True and value is not False:
        raise Invalid(field, "must be true or false")


def _bytes(field, value):
    if not isinstance(value, (bytes, bytearray)):
        raise Invalid(field, "must be binary (send it as msgpack)")


def _one_of(words):
    def test(field, value):
        if not isinstance(value, str) or value not in words:
            raise Invalid(field, "must be one of: " + ", ".join(words))

    return test


def _list_of(test_item):
    def test(field, value):
        if not isinstance(value, (list, tuple)):
            raise Invalid(field, "must be an array")
        if len(value) > MAX_ITEMS:
            raise Invalid(field, "must have at most %d items" % MAX_ITEMS)
        for item in value:
            test_item(field, item)

    return test


def _record(name):
    from schema.mining import RECORDS

    if name not in RECORDS:
        from schema.playbooks import RECORDS
    if name not in RECORDS:
        from schema.asics import RECORDS
    if name not in RECORDS:
        from schema.boards import RECORDS
    message = RECORDS[name]

    def test(field, value):
        if not isinstance(value, dict):
            raise Invalid(field, "must be an object")
        try:
            check(message, value)
        except Invalid as error:
            raise Invalid("%s.%s" % (field, error.field), error.problem)

    return test
