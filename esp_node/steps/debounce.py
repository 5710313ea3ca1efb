"""Passes a value once it has stood unchanged for `stable_ms`, and only when it differs from the one passed before."""

from esp_node.steps._options import milliseconds, take
from esp_node.steps._step import Step

NAME = "debounce"
OPTIONS = {"stable_ms": ...}


class Debounce(Step):
    name = NAME

    def __init__(self, stable):
        self._stable = stable
        self._candidate = self._passed = None
        self._since = 0

    def take(self, ts, value):
        if value != self._candidate or ts < self._since:
            self._candidate = value
            self._since = ts
        if value != self._passed and ts - self._since >= self._stable:
            self._passed = value
            self.emit(ts, value)


def create(options, fields=("x",)):
    """Options: stable_ms."""
    return Debounce(milliseconds(take(options, OPTIONS), "stable_ms"))
