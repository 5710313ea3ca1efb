"""Number of values in a window."""

from esp_node.steps._options import WINDOW, window
from esp_node.steps._step import Window

NAME = "count"
OPTIONS = WINDOW


class Count(Window):
    name = NAME

    def fold(self, value):
        self.value = self.folded + 1


def create(options, fields=("x",)):
    """Options: count, window_ms, sliding; see Window."""
    return Count(*window(options))


def describe(fields, units, digits, options):
    return fields, ("",), (0,)
