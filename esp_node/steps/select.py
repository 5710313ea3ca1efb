"""Some of the fields, in the order given."""

from esp_node.steps._options import take
from esp_node.steps._step import Step
from schema.errors import Invalid

NAME = "select"
OPTIONS = {"fields": ...}


class Select(Step):
    name = NAME

    def __init__(self, places):
        self._places = places

    def add(self, ts, value):
        if type(value) is not tuple:
            value = (value,)
        picked = tuple([value[place] for place in self._places])
        usable = False
        for one in picked:
            usable = self.usable(one) or usable
        if usable:
            self.emit(ts, picked if len(picked) > 1 else picked[0])


def create(options, fields=("x",)):
    """Options: fields (list of names)."""
    return Select(_places(options, fields))


def describe(fields, units, digits, options):
    places = _places(options, fields)
    return tuple([tuple([given[place] for place in places]) for given in (fields, units, digits)])


def _places(options, fields):
    wanted = take(options, OPTIONS)["fields"]
    if not isinstance(wanted, list) or not wanted or len(set(map(str, wanted))) < len(wanted):
        raise Invalid("fields", "must be a list of different field names")
    for name in wanted:
        if name not in fields:
            raise Invalid("fields", "has an unknown field; there are: " + ", ".join(fields))
    return tuple([list(fields).index(name) for name in wanted])
