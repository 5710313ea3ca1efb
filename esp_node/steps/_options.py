"""Checks of the options of steps; Invalid names the option. Loaded while chains are built."""

from schema.errors import Invalid

WINDOW = {"count": 0, "window_ms": 0, "sliding": False}


def take(options, known):
    """`known` {name: default} with `options` filled in; a default of `...` must be given."""
    for name in options:
        if name not in known:
            raise Invalid(name, "unknown option; allowed: " + (", ".join(sorted(known)) or "none"))
    taken = dict(known)
    taken.update(options)
    for name in taken:
        if taken[name] is ...:
            raise Invalid(name, "must be given")
    return taken


def whole(options, name, low, high):
    """The option `name`, a whole number from `low` to `high`."""
    value = options[name]
    if type(value) is not int or not low <= value <= high:
        raise Invalid(name, "must be a whole number from %d to %d" % (low, high))
    return value


def milliseconds(options, name, low=1):
    """The option `name`, ms from `low` to a week."""
    return whole(options, name, low, 604800000)


def number(options, name, low=None, high=None):
    """The option `name`, a finite number, above `low` and at most `high` where these are given."""
    value = options[name]
    if type(value) not in (int, float) or value - value != 0:
        raise Invalid(name, "must be a number")
    if (low is not None and value <= low) or (high is not None and value > high):
        raise Invalid(name, "must be above %s%s" % (low, "" if high is None else " and at most %s" % high))
    return value


def flag(options, name):
    """The option `name`, true or false."""
    if not isinstance(options[name], bool):
        raise Invalid(name, "must be true or false")
    return options[name]


def text(options, name):
    """The option `name`, a short text."""
    value = options[name]
    if not isinstance(value, str) or len(value) > 32:
        raise Invalid(name, "must be text of at most 32 characters")
    return value


def window(options, least=1):
    """(count, window_ms, sliding) of a statistic over at least `least` values."""
    given = take(options, WINDOW)
    count = whole(given, "count", 0, 1000000)
    length = milliseconds(given, "window_ms", 0)
    if not count and not length:
        raise Invalid("count", "must be given, or window_ms, or both")
    if count and count < least:
        raise Invalid("count", "must be at least %d" % least)
    sliding = flag(given, "sliding")
    if sliding and not 0 < count <= 1000:
        raise Invalid("count", "must be from 1 to 1000 when sliding: so many values are kept")
    return count, length, sliding


def finer(fields, units, digits, by=1):
    """The same fields, with `by` more decimals."""
    return fields, units, tuple([None if places is None else places + by for places in digits])
