"""What a board's `machine` has and the Unix port's lacks. The environment names FARMHAND_RESET, a file to say "reset"
in, and FARMHAND_HELD, the pins that are low."""

import os


def reset():
    os.system('printf reset > "$FARMHAND_RESET"; kill -9 $PPID')


def reset_cause():
    return 1


class Pin:
    IN = 0
    PULL_UP = 1

    def __init__(self, number, _mode, _pull):
        self.number = number

    def value(self):
        return int(str(self.number) not in os.getenv("FARMHAND_HELD").split(","))
