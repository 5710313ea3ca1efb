"""Checks of the options of steps; Invalid names the option. Loaded while chains are built."""

from esp_node.common import flag, take
from schema.errors import Invalid

WINDOW = {"count": 0, "window_ms": 0, "sliding": False}


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


def field(options, name):
    """The option `name`, the name of a field."""
    # The commander refuses a birth with a name or a unit that it does not know. What knows is loaded for that alone.
    from schema.text import is_name

    is_name(name, options[name])
    return options[name]


def unit(options, name):
    """The option `name`, one of schema/units.py."""
    if options[name] != "":
        from schema.units import is_unit

        is_unit(name, options[name])
    return options[name]


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


def finer(fields, units, digits, options):
    """describe() of a step that averages: that resolves one decimal more than its values."""
    return fields, units, tuple([None if places is None else places + 1 for places in digits])
