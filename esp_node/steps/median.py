"""Median of a window; the mean of the middle two when their number is even. Keeps the values of its window."""

from esp_node.steps._options import WINDOW, finer, window
from esp_node.steps._step import Window

NAME = "median"
OPTIONS = WINDOW


class Median(Window):
    name = NAME

    def fold(self, value):
        if not self.folded:
            self.value = []
        self.value.append(value)

    def result(self):
        values = sorted(self.value)
        half = len(values) // 2
        return values[half] if len(values) % 2 else values[half - 1] + (values[half] - values[half - 1]) / 2


def create(options, fields=("x",)):
    """Options: count, window_ms, sliding; see Window."""
    return Median(*window(options))


describe = finer
