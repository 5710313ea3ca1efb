"""Change per time since the value before. A value at the same time is left out; a clock set back begins anew."""

from esp_node.steps._options import milliseconds, take
from esp_node.steps._step import Step

NAME = "rate"
OPTIONS = {"per_ms": 1000}
_PER_SECOND = {"": "1/s", "B": "B/s", "deg": "deg/s"}


class Rate(Step):
    name = NAME
    _before = None

    def __init__(self, per):
        self._per = per
        self._ts = 0

    def take(self, ts, value):
        # Times are subtracted as whole numbers: as single-precision floats they would be minutes off.
        passed = ts - self._ts
        if passed == 0:
            return
        before = self._before
        self._before = value
        self._ts = ts
        if before is not None and passed > 0:
            self.emit(ts, (value - before) * self._per / passed)


def create(options, fields=("x",)):
    """Options: per_ms, the unit of time of the result."""
    return Rate(milliseconds(take(options, OPTIONS), "per_ms"))


def describe(fields, units, digits, options):
    per_second = options.get("per_ms", 1000) == 1000
    return fields, (_PER_SECOND.get(units[0], "") if per_second else "",), (None,)
