"""The settings document: what the commander may change in a running node. Loaded when one is
checked or applied."""

from esp_node.sensors import find, names
from schema.errors import Invalid


def check_settings(data):
    """Raise Invalid unless `data` is a settings document: {"interval_s": number, "sensors": {name:
    true or false}}, both optional."""
    if not isinstance(data, dict):
        raise Invalid("settings", "must be an object")
    for key in data:
        if key not in ("interval_s", "sensors"):
            raise Invalid(key, "unknown setting; allowed: interval_s, sensors")
    interval = data.get("interval_s", 1)
    if isinstance(interval, bool) or not isinstance(interval, (int, float)) or not 0.05 <= interval <= 86400:
        raise Invalid("interval_s", "must be a number of seconds from 0.05 to 86400")
    sensors = data.get("sensors", {})
    if not isinstance(sensors, dict):
        raise Invalid("sensors", "must be an object of sensor -> true or false")
    known = names()
    for name, on in sensors.items():
        if name not in known:
            raise Invalid("sensors." + name, "unknown sensor; this node has: " + ", ".join(known))
        if not isinstance(on, bool):
            raise Invalid("sensors." + name, "must be true or false")


def apply(node, data):
    """Make the tasks of `node` what its config.json and the checked document `data` say."""
    node.interval_s = data.get("interval_s", node.given["interval_s"])
    wanted = dict(node.given["sensors"])
    wanted.update(data.get("sensors", {}))
    for task in node.tasks:
        node.scheduler.cancel(task)
    node.tasks = []
    node.active = {}
    for name in sorted(wanted):
        if wanted[name]:
            module = find(name)
            node.active[name] = (module, module.create(node, {}))
            _schedule(node, name)


def in_force(node):
    """The settings document as the node runs now."""
    return {
        "interval_s": node.interval_s,
        "sensors": {name: name in node.active for name in names()},
    }


def _schedule(node, name):
    interval = max(10, int(node.interval_s * 1000))
    tail = "tele/" + name  # made once: every queued event refers to it
    node.tasks.append(node.scheduler.every(interval, lambda: node.measure(name, tail), name))
    frame = node.given["frames"].get(name)
    if frame:
        from esp_node.frames import Frames, sample_interval

        length, count = frame.get("frame_ms", 0), frame.get("values", 0)
        frames = Frames(length, count)
        every = sample_interval(length, count) or interval
        node.tasks.append(node.scheduler.every(every, lambda: node.frame(name, frames), "frame " + name))
