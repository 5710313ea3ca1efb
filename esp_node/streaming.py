"""Joins the streams of the settings to the node: their sensors at one end, telemetry and frames at the other. Loaded
late.
"""

from esp_node.chains import joined
from esp_node.sinks import Tele


def build(node, made, about, jobs, told):
    """Join the streams of graph.py; `about`, `jobs` and `told` are those of measuring.py, and get what they need."""
    slots = {}  # sensor -> ms between the samples of its evenly filled frames

    def sink(name, settings):
        told["parts"][name] = dict(zip(settings["fields"], settings["units"]))
        if settings["send"] == "tele":
            return Tele(node, name, settings["fields"], settings["digits"]).add
        told["streams"][name] = _born(settings)
        source = settings["from"][0]
        if settings["frame_ms"] and settings["values"] and not settings["steps"] and source in about:
            slot = max(10, settings["frame_ms"] // settings["values"])
            slots[source] = min(slot, slots.get(source, slot))
        from esp_node.framing import Framed  # most nodes have none

        node.framed.append(Framed(node, name, settings))
        return node.framed[-1].add

    entries = joined(made, about, sink)
    for name, every, early in list(jobs):
        if name in entries:
            key = name, min(every, slots.get(name, every)), early
            jobs.setdefault(key, []).append(entries[name])
    return "pacing", "schedule", node, jobs, told


def _born(settings):
    """What the birth says of a stream that sends frames; scale: what a whole number on the wire is worth, None for a
    field sent as it is."""
    return {
        "fields": list(settings["fields"]),
        "units": list(settings["units"]),
        "scale": [None if places is None else 1 / 10**places if places else 1 for places in settings["digits"]],
        "frame_ms": settings["frame_ms"],
        "values": settings["values"],
    }
