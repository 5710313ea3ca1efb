"""Hands everything on, for a gateway that only relays a stream."""

from esp_node.steps._options import take
from esp_node.steps._step import Step

NAME = "pass"
OPTIONS = {}


class Pass(Step):
    name = NAME

    def add(self, ts, value):
        usable = False
        for one in value if type(value) is tuple else (value,):
            usable = self.usable(one) or usable
        if usable:
            self.emit(ts, value)


def create(options, fields=("x",)):
    take(options, OPTIONS)
    return Pass()
