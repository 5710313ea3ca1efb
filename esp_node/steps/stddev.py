"""Sample standard deviation of a window (divided by n - 1), by the method of Welford; None for a single value."""

from esp_node.steps._options import WINDOW, finer, window
from esp_node.steps._step import Window

NAME = "stddev"
OPTIONS = WINDOW


class Stddev(Window):
    name = NAME

    def fold(self, value):
        if not self.folded:
            self.first = value
            self.value = self.total = 0  # mean of the differences to the first, sum of the squares around it
        value -= self.first
        before = value - self.value
        self.value += before / (self.folded + 1)
        self.total += before * (value - self.value)

    def result(self):
        return (self.total / (self.folded - 1)) ** 0.5 if self.folded > 1 else None


def create(options, fields=("x",)):
    """Options: count, window_ms, sliding; see Window."""
    return Stddev(*window(options, 2))


describe = finer
