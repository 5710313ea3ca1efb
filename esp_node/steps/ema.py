"""Exponential moving average (low-pass of first order): the newest value weighs `alpha`, or t / (time_constant_ms + t)
after t ms."""

from esp_node.steps._options import finer, milliseconds, number, take
from esp_node.steps._step import Step
from schema.errors import Invalid

NAME = "ema"
OPTIONS = {"alpha": None, "time_constant_ms": None}


class Ema(Step):
    name = NAME
    _average = None

    def __init__(self, alpha, time_constant):
        self._alpha = alpha
        self._time_constant = time_constant
        self._ts = 0

    def take(self, ts, value):
        if self._average is None:
            self._average = value
        else:
            passed = max(0, ts - self._ts)  # a clock that was set back counts for nothing
            alpha = self._alpha or passed / (self._time_constant + passed)
            self._average += alpha * (value - self._average)
        self._ts = ts
        self.emit(ts, self._average)


def create(options, fields=("x",)):
    """Options: alpha (above 0, at most 1) for evenly spaced values, or time_constant_ms for any spacing."""
    given = take(options, OPTIONS)
    if (given["alpha"] is None) == (given["time_constant_ms"] is None):
        raise Invalid("alpha", "must be given, or time_constant_ms, and not both")
    if given["alpha"] is None:
        return Ema(None, milliseconds(given, "time_constant_ms"))
    return Ema(number(given, "alpha", 0, 1), None)


describe = finer
