"""Which stream reads which, and the steps of each, made. chains.py joins them. Loaded late."""

from esp_node import common, steps
from esp_node.steps import _options, _step  # noqa: F401 (while there is room for the code of both)
from schema.errors import Invalid

_WHOLE_VALUE = ("pass", "select", "map", "filter", "join")  # the steps that take several fields
_MOST_BYTES = 4096  # of a frame


def build(node, streams, about, jobs, told):
    """Go on with made() streams, see measuring.py."""
    return "streaming", "build", node, made(streams, about), about, jobs, told


def made(streams, sensors):
    """The checked `streams` (streams.py) of `sensors` {name: (FIELDS, UNITS, DIGITS)}, with their steps: (names in an
    order in which each comes after what it reads, {name: settings}, {name: steps}). Settings have fields, units, digits
    and bytes (of a frame's buffer) now."""
    graph = Graph(streams, sensors)
    common.empty("esp_node.steps.", "esp_node.steps._step", "esp_node.expression")
    return graph.order, graph.about, graph.steps


class Graph:
    """What made() returns, while it is being made."""

    def __init__(self, streams, sensors):
        self.streams = streams
        self.sensors = sensors
        self.order = []
        self.about = {}
        self.steps = {}
        for name in sorted(streams):
            self.add(name, ())

    def add(self, name, readers):
        if name in self.about:
            return
        path = "streams." + name
        if name in self.sensors:
            raise Invalid(path, "is the name of a sensor")
        if name in readers:
            raise Invalid(path + ".from", "goes in a circle: " + " from ".join(readers + (name,)))
        about = self.streams[name]
        given = []
        for source in about["from"]:
            if source in self.streams:
                self.add(source, readers + (name,))
                at = self.about[source]
                given.append((at["fields"], at["units"], at["digits"]))
            elif source in self.sensors:
                given.append(self.sensors[source])
            else:
                known = ", ".join(sorted(list(self.sensors) + [other for other in self.streams if other != name]))
                raise Invalid(path + ".from", "unknown: %s; there are: %s" % (source, known))
        self.steps[name] = made = []
        for place, step in enumerate(about["steps"]):
            given = _add_step("%s.steps.%d" % (path, place), made, step, given, about["from"])
        if len(given) > 1:
            raise Invalid(path + ".steps", "must begin with join, to make one of several inputs")
        about["fields"], about["units"], about["digits"] = given[0]
        about["bytes"] = size = _frame_bytes(about)
        if size > _MOST_BYTES:
            raise Invalid(path + ".frame.values", "need %d bytes; at most %d" % (size, _MOST_BYTES))
        self.about[name] = about
        self.order.append(name)


def _frame_bytes(about):
    # The head, and for each sample whole numbers to 32 bits, floats, short text. Without `values`: about 256.
    digits = about["digits"]
    sample = sum([9 if places is None else 5 for places in digits]) + (0 if len(digits) == 1 else 3)
    alone = not about["values"] and not about["frame_ms"]
    return 18 + ((1 if alone else about["values"]) * sample or max(256, sample))


def _add_step(path, made, given, inputs, sources):
    """Make a step and append it to `made`; returns [(fields, units, digits)] of its output."""
    name = given.get("step") if isinstance(given, dict) else None
    module = steps.find(name)
    if module is None:
        raise Invalid(path + ".step", "must be one of: " + ", ".join(steps.names()))
    options = dict(given)
    del options["step"]
    if (name == "join") != (len(inputs) > 1):
        raise Invalid(path + ".step", "must be join where a stream comes from several, and only there")
    try:
        if name == "join":
            step = module.create(options, [one[0] for one in inputs])
            inputs = [_joined(inputs, sources)]
        else:
            fields, units, digits = inputs[0]
            if len(fields) > 1 and name not in _WHOLE_VALUE:
                raise Invalid("step", "takes one field: put select before it (fields: %s)" % ", ".join(fields))
            step = module.create(options, fields)
            if hasattr(module, "describe"):
                inputs = [module.describe(fields, units, digits, options)]
    except Invalid as error:
        raise Invalid("%s.%s" % (path, error.field), error.problem)
    step.name = "%s.%s" % (path.split(".")[1], name)
    made.append(step)
    return inputs


def _joined(inputs, sources):
    # A field that several inputs have gets the name of its input in front.
    names = [name for fields, _, _ in inputs for name in fields]
    fields, units, digits = (), (), ()
    for place, one in enumerate(inputs):
        fields += tuple([sources[place] + "_" + name if names.count(name) > 1 else name for name in one[0]])
        units += tuple(one[1])
        digits += tuple(one[2])
    return fields, units, digits
