"""Arithmetic mean of a window."""

from esp_node.steps._options import WINDOW, finer, window
from esp_node.steps._step import Window

NAME = "mean"
OPTIONS = WINDOW


class Mean(Window):
    name = NAME

    def fold(self, value):
        if not self.folded:
            self.first = value
            self.total = 0
        # Sums of differences keep what a sum of single-precision floats, or of times, would lose.
        self.total += value - self.first

    def result(self):
        return self.first + self.total / self.folded


def create(options, fields=("x",)):
    """Options: count, window_ms, sliding; see Window."""
    return Mean(*window(options))


describe = finer
