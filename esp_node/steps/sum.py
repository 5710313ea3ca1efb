"""Sum of a window; whole numbers stay whole."""

from esp_node.steps._options import WINDOW, window
from esp_node.steps._step import Window

NAME = "sum"
OPTIONS = WINDOW


class Sum(Window):
    name = NAME

    def fold(self, value):
        self.value = self.value + value if self.folded else value


def create(options, fields=("x",)):
    """Options: count, window_ms, sliding; see Window."""
    return Sum(*window(options))
