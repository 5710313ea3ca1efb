"""Joins the streams of the settings to the node: their sensors at one end, telemetry and frames at the other. Loaded
late.
"""

from esp_node.chains import born, sample_interval
from esp_node.chains import build as chained
from esp_node.sinks import Framed, Tele


def build(node, streams, about, jobs, told):
    """Make the streams; `about`, `jobs` and `told` are those of measuring.py, and get what the streams need."""
    slots = {}  # sensor -> ms between the samples of its evenly filled frames

    def sink(name, settings):
        told["parts"][name] = dict(zip(settings["fields"], settings["units"]))
        if settings["send"] == "tele":
            return Tele(node, name, settings["fields"], settings["digits"]).add
        told["streams"][name] = born(settings)
        slot = sample_interval(settings["frame_ms"], settings["values"])
        if slot and not settings["steps"] and settings["from"][0] in about:
            slots[settings["from"][0]] = min(slot, slots.get(settings["from"][0], slot))
        node.framed.append(Framed(node, name, settings))
        return node.framed[-1].add

    entries = chained(streams, about, sink)
    for name, every, early in list(jobs):
        if name in entries:
            key = name, min(every, slots.get(name, every)), early
            jobs.setdefault(key, []).append(entries[name])
    return "pacing", "schedule", node, jobs, told
