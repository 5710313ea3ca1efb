"""Local chains: from the configuration's `streams` to calls from one step to the next. Loaded late, then forgotten;
what stays in the heap are the objects of the steps.

    "streams": {"room": {"from": "dht22", "steps": [{"step": "select", "fields": ["temp_c"]}, {"step": "mean",
        "count": 10}], "send": "frame", "frame": {"frame_ms": 10000, "values": 10}, "latest": true}}

from: a sensor or another stream, or a list of several, which a first step `join` makes one; send: tele, frame or none
(for a stream that only others read). A numeric step takes one field: a `select` before it picks that.
"""

import gc
import sys

from schema.errors import Invalid

_BUILDING = ("esp_node.expression", "esp_node.graph", "esp_node.streams")


def build(streams, sensors, sink):
    """{sensor: entry}, where entry(ts, values) takes what the sensor's get() returned and runs all chains that begin
    there; ValueError from a step, after all others have run. Invalid names what is wrong.

    streams: the configuration. sensors: {name: (FIELDS, UNITS, DIGITS)}. sink(stream, about) returns where the results
    of a stream go, add(ts, value); it is called for each that is sent. about: fields, units, digits, send, latest,
    frame_ms, values and bytes (of a frame's buffer).
    """
    from esp_node.steps import _step as calls  # here, because _forget() takes it away

    try:
        made = _graph(streams, sensors)
        outs = {name: [] for name in list(streams) + list(sensors)}
        for name in reversed(made.order):  # whoever reads a stream comes before it
            about = made.about[name]
            if about["send"] != "none":
                outs[name].append(sink(name, about))
            if not outs[name]:
                raise Invalid("streams.%s.send" % name, "must not be none: no other stream reads this one")
            call = calls.each(outs[name])
            for step in reversed(made.steps[name]):
                step.emit = call
                call = step.add
            for place, source in enumerate(about["from"]):
                outs[source].append(made.steps[name][0].port(place) if len(about["from"]) > 1 else call)
        return {name: calls.entry(calls.each(outs[name]), len(sensors[name][0])) for name in sensors if outs[name]}
    finally:
        _forget()


def check(streams, sensors):
    """Raise Invalid unless build() would take these streams."""
    build(streams, sensors, lambda name, about: print)


def describe(streams, sensors):
    """For the birth: {stream: {"fields", "units"}} of what is sent; of frames also "scale" (what a whole number on the
    wire is worth, None for a field sent as it is), "frame_ms" and "values"."""
    try:
        made = _graph(streams, sensors)
        return {name: born(made.about[name]) for name in made.order if made.about[name]["send"] != "none"}
    finally:
        _forget()


def frames(about):
    """The Frames of a stream: add() is its sink, `emit` is to be set, expire() to be called now and then."""
    from esp_node.framing import Frames

    return Frames(about["frame_ms"], about["values"], about["digits"], about["bytes"])


def _graph(streams, sensors):
    # One after the other, so that the checks have left the heap when the steps come.
    from esp_node.streams import settled

    streams = settled(streams)
    settled = None
    _forget("esp_node.streams")
    from esp_node.graph import Graph

    return Graph(streams, sensors)


def born(about):
    """What describe() says of one stream, from what build() told its sink: cheaper while a node runs."""
    born = {"fields": list(about["fields"]), "units": list(about["units"])}
    if about["send"] == "frame":
        born["scale"] = [None if places is None else 1 / 10**places if places else 1 for places in about["digits"]]
        born["frame_ms"] = about["frame_ms"]
        born["values"] = about["values"]
    return born


def sample_interval(frame_ms, values):
    """Milliseconds between two samples that fill a frame evenly (int), or None where the frame does not say."""
    return max(10, frame_ms // values) if frame_ms and values else None


def _forget(*modules):
    """Take modules out of the heap; without names, all that is needed for building only, and the steps', whose objects
    keep their classes and need no more of them."""
    if sys.implementation.name != "micropython":
        return
    for full in modules or list(sys.modules):
        module = sys.modules.get(full)
        package, _, name = full.rpartition(".")
        if module is None or not (modules or full in _BUILDING or full.startswith("esp_node.steps")):
            continue
        if hasattr(module, "__dict__"):
            module.__dict__.clear()  # methods would keep all that stands there
        sys.modules[full] = None  # the slot of a removed name would still refer to its value
        del sys.modules[full]
        if package in sys.modules and hasattr(sys.modules[package], name):
            setattr(sys.modules[package], name, None)
            delattr(sys.modules[package], name)
    gc.collect()
