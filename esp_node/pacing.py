"""Gives the sensors their tasks, last of what measuring.py does. Loaded late."""

from esp_node import late, store
from esp_node.reading import Reading
from esp_node.steps import names
from esp_node.tasks import put

# What a heartbeat counts, see beat.py.
_COUNTERS = ("queue", "dropped", "flash_faults", "reconnects", "unsent", "too_large", "bad_packets")


def schedule(node, jobs, told):
    """Make a task of each of `jobs`, {(sensor, interval in ms, early): sinks}; keep `told` for the birth."""
    told["sensors"] = sorted(node.sensors)
    told["steps"] = names()
    told["parts"]["node"] = {name: "" for name in _COUNTERS}
    told["parts"]["node"].update({"uptime_s": "s", "mem_free": "B"})
    if node.rig or (node.given and node.given["rig"]):
        told["parts"]["slave"] = late.call("mining.report", "units")  # of its devices
    store.keep(node.folder + "parts.json", told)
    for name, every, early in sorted(jobs):
        sinks = jobs[name, every, early]
        if sinks:
            # An alert of an earlier start is cleared by this, at the next connect.
            node.alerts.setdefault("sensor-" + name, b"")
            task = Reading("sensor-" + name, max(10, every), node.sensors[name], tuple(sinks))
            node.tasks.append(put(node.scheduler, task, early))
    return ("measuring", "adopted", node) if node.adopting else None
