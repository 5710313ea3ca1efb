"""Largest value of a window."""

from esp_node.steps._options import WINDOW, window
from esp_node.steps._step import Window

NAME = "max"
OPTIONS = WINDOW


class Max(Window):
    name = NAME

    def fold(self, value):
        if not self.folded or value > self.value:
            self.value = value


def create(options, fields=("x",)):
    """Options: count, window_ms, sliding; see Window."""
    return Max(*window(options))
