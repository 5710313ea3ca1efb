"""Local chains: calls from one step to the next, as the configuration's `streams` say. Made by streams.py, graph.py and
this one after the other, each loaded by late.py, so that only the objects of the steps stay in the heap.

    "streams": {"room": {"from": "dht22", "steps": [{"step": "select", "fields": ["temp_c"]}, {"step": "mean",
        "count": 10}], "send": "frame", "frame": {"frame_ms": 10000, "values": 10}, "latest": true}}

from: a sensor or another stream, or a list of several, which a first step `join` makes one; send: tele, frame or none
(for a stream that only others read). A numeric step takes one field: a `select` before it picks that.
"""

from esp_node import common
from esp_node.calls import each, entry
from schema.errors import Invalid


def joined(made, sensors, sink):
    """{sensor: entry}, where entry(ts, values) takes what the sensor's get() returned and runs all chains that begin
    there; ValueError from a step, after all others have run. Invalid names what is wrong.

    made: what graph.py returned for `sensors`. sink(stream, about) returns where the results of a stream go, add(ts,
    value); it is called for each that is sent. about: its settings.
    """
    order, settings, steps = made
    outs = {name: [] for name in order + list(sensors)}
    for name in reversed(order):  # whoever reads a stream comes before it
        about = settings[name]
        if about["send"] != "none":
            outs[name].append(sink(name, about))
        if not outs[name]:
            raise Invalid("streams.%s.send" % name, "must not be none: no other stream reads this one")
        call = each(outs[name])
        for step in reversed(steps[name]):
            step.emit = call
            call = step.add
        for place, source in enumerate(about["from"]):
            outs[source].append(steps[name][0].port(place) if len(about["from"]) > 1 else call)
    entries = {name: entry(each(outs[name]), len(sensors[name][0])) for name in sensors if outs[name]}
    common.empty("esp_node.calls")
    return entries
