"""Lets a value pass for which an expression (expression.py) is true."""

from esp_node.expression import compiled
from esp_node.steps._options import take
from esp_node.steps._step import Step

NAME = "filter"
OPTIONS = {"expression": ...}


class Filter(Step):
    name = NAME

    def __init__(self, function, used):
        self._function = function
        self._used = used

    def add(self, ts, value):
        values = value if type(value) is tuple else (value,)
        for place in self._used:
            if not self.usable(values[place]):
                return
        try:
            passes = self._function(values)
        except (ArithmeticError, ValueError, TypeError) as error:
            raise ValueError("%s: %s" % (self.name, error))
        if passes:
            self.emit(ts, value)


def create(options, fields=("x",)):
    """Options: expression."""
    return Filter(*compiled(take(options, OPTIONS)["expression"], fields, "expression"))
