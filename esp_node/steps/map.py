"""A value calculated from the fields by an expression (expression.py)."""

from esp_node.expression import compiled
from esp_node.steps._options import field, take, unit, whole
from esp_node.steps._step import Step

NAME = "map"
OPTIONS = {"expression": ..., "field": None, "unit": "", "digits": None}


class Map(Step):
    name = NAME

    def __init__(self, function, used):
        self._function = function
        self._used = used

    def add(self, ts, value):
        if type(value) is not tuple:
            value = (value,)
        for place in self._used:
            if not self.usable(value[place]):
                return
        try:
            result = self._function(value)
        except (ArithmeticError, ValueError, TypeError) as error:
            raise ValueError("%s: %s" % (self.name, error))
        if self.usable(result):
            self.emit(ts, result)


def create(options, fields=("x",)):
    """Options: expression, and of the result: field (its name; that of the input, or "value" for several), unit (one of
    schema/units.py), digits (decimals of a frame; None sends floats)."""
    given = take(options, OPTIONS)
    if given["field"] is not None:
        field(given, "field")
    unit(given, "unit")
    if given["digits"] is not None:
        whole(given, "digits", 0, 9)
    return Map(*compiled(given["expression"], fields, "expression"))


def describe(fields, units, digits, options):
    given = take(options, OPTIONS)
    name = given["field"] or (fields[0] if len(fields) == 1 else "value")
    return (name,), (given["unit"],), (given["digits"],)
