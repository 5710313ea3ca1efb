"""Finite impulse response filter: the sum of the newest values, each times its tap; from the moment on when every tap
has a value."""

from esp_node.steps._options import number, take
from esp_node.steps._step import Step
from schema.errors import Invalid

NAME = "fir"
OPTIONS = {"taps": ...}


class Fir(Step):
    name = NAME

    def __init__(self, taps):
        self._taps = taps
        self._values = [None] * len(taps)
        self._at = 0

    def take(self, ts, value):
        size = len(self._taps)
        self._at = (self._at - 1) % size
        self._values[self._at] = value
        total = 0
        for place, tap in enumerate(self._taps):
            value = self._values[(self._at + place) % size]
            if value is None:
                return
            total += tap * value
        self.emit(ts, total)


def create(options, fields=("x",)):
    """Options: taps, a list of 1 to 256 numbers, the first for the newest value."""
    taps = take(options, OPTIONS)["taps"]
    if not isinstance(taps, list) or not 0 < len(taps) <= 256:
        raise Invalid("taps", "must be a list of 1 to 256 numbers")
    for tap in taps:
        number({"taps": tap}, "taps")
    return Fir(tuple(taps))


def describe(fields, units, digits, options):
    return fields, units, (None,)
