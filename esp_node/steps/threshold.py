"""true from the value `high` on, false from `low` down; between them (hysteresis) as before, at first false."""

from esp_node.steps._options import flag, number, take
from esp_node.steps._step import Step
from schema.errors import Invalid

NAME = "threshold"
OPTIONS = {"high": ..., "low": None, "changes": False}


class Threshold(Step):
    name = NAME

    def __init__(self, high, low, changes):
        self._high = high
        self._low = low
        self._changes = changes
        self._on = False
        self._told = None

    def take(self, ts, value):
        if value >= self._high:
            self._on = True
        elif value <= self._low or self._low == self._high:
            self._on = False
        if not self._changes or self._on is not self._told:
            self._told = self._on
            self.emit(ts, self._on)


def create(options, fields=("x",)):
    """Options: high; low (default: high, no hysteresis); changes: pass only the first state and changes."""
    given = take(options, OPTIONS)
    if given["low"] is None:
        given["low"] = given["high"]
    high = number(given, "high")
    low = number(given, "low")
    if low > high:
        raise Invalid("low", "must not be above high")
    return Threshold(high, low, flag(given, "changes"))


def describe(fields, units, digits, options):
    return fields, ("",), (0,)
