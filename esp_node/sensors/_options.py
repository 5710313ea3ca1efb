"""What sensors share: their options, checked, and the machine's parts that these name. Invalid names the option.

Only who creates a sensor needs it: import it there, so that it can leave the heap again.
"""

import sys

from esp_node.common import flag, take  # noqa: F401 (here, because each import of a sensor stays in the heap with it)
from schema.errors import Invalid

_buses = {}


def number(options, name, low, high):
    """The option `name`, a number from `low` to `high`."""
    value = options[name]
    if type(value) not in (int, float) or not low <= value <= high:
        raise Invalid(name, "must be a number from %s to %s" % (low, high))
    return value


def choice(options, name, allowed):
    """Place of the option `name` in the tuple `allowed`."""
    value = options[name]
    if isinstance(value, bool) or value not in allowed:
        raise Invalid(name, "must be one of " + ", ".join([str(one) for one in allowed]))
    return allowed.index(value)


def pin(options, name):
    """The option `name`, the number of a pin."""
    value = options[name]
    if type(value) is not int or not 0 <= value <= 63:
        raise Invalid(name, "must be the number of a pin, from 0 to 63")
    return value


def part(name):
    """machine.<name>; Invalid on a board that has none."""
    try:
        import machine

        return getattr(machine, name)
    except (ImportError, AttributeError):
        raise Invalid(name, "this board has none")


def wired(name, options, option):
    """machine.<name> (Pin, ADC, TouchPad) on the pin that `option` names."""
    place = pin(options, option)
    make = part(name)
    try:
        # An ESP8266 has one analog pin, and it is no Pin.
        return make(place if sys.platform == "esp8266" and name == "ADC" else part("Pin")(place))
    except ValueError as error:
        raise Invalid(option, "pin %d: %s" % (place, error))


def i2c(options):
    """The bus of the options scl, sda, freq (Hz); one object for all chips that say the same."""
    wires = pin(options, "scl"), pin(options, "sda"), int(number(options, "freq", 1000, 1000000))
    if wires not in _buses:
        scl, sda = wired("Pin", options, "scl"), wired("Pin", options, "sda")
        _buses[wires] = part("SoftI2C")(scl=scl, sda=sda, freq=wires[2], timeout=5000)
    return _buses[wires]
