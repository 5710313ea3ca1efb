"""Difference to the value before; the first value gives none."""

from esp_node.steps._options import take
from esp_node.steps._step import Step

NAME = "delta"
OPTIONS = {}


class Delta(Step):
    name = NAME
    _before = None

    def take(self, ts, value):
        before = self._before
        self._before = value
        if before is not None:
            self.emit(ts, value - before)


def create(options, fields=("x",)):
    take(options, OPTIONS)
    return Delta()
