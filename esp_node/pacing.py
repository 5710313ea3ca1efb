"""Gives the sensors their tasks, last of what measuring.py does. Loaded late."""

from esp_node import store
from esp_node.sinks import job


def schedule(node, jobs, told):
    """Make a task of each of `jobs`, {(sensor, interval in ms, early): sinks}; keep `told` for the birth."""
    store.keep(node.folder + "parts.json", told)
    for name, every, early in sorted(jobs):
        sinks = jobs[name, every, early]
        if sinks:
            run = job(node, node.sensors[name], sinks)
            # An alert of an earlier start is cleared by this, at the next connect.
            node.alerts.setdefault("sensor-" + name, b"")
            node.tasks.append(node.scheduler.every(max(10, every), run, "sensor-" + name, early))
    return ("measuring", "adopted", node) if node.adopting else None
