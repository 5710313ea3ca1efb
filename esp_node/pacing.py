"""Gives the sensors their tasks, last of what measuring.py does. Loaded late."""

from esp_node import store
from esp_node.sinks import job
from esp_node.steps import names

# What a heartbeat counts, see Outbox.counters().
_COUNTERS = ("queue", "dropped", "flash_faults", "reconnects", "unsent", "too_large", "bad_packets")


def schedule(node, jobs, told):
    """Make a task of each of `jobs`, {(sensor, interval in ms, early): sinks}; keep `told` for the birth."""
    told["sensors"] = sorted(node.sensors)
    told["steps"] = names()
    told["parts"]["node"] = {name: "" for name in _COUNTERS}
    told["parts"]["node"].update({"uptime_s": "s", "mem_free": "B"})
    store.keep(node.folder + "parts.json", told)
    for name, every, early in sorted(jobs):
        sinks = jobs[name, every, early]
        if sinks:
            run = job(node, node.sensors[name], sinks)
            # An alert of an earlier start is cleared by this, at the next connect.
            node.alerts.setdefault("sensor-" + name, b"")
            node.tasks.append(node.scheduler.every(max(10, every), run, "sensor-" + name, early))
    return ("measuring", "adopted", node) if node.adopting else None
