"""Makes the sensors and streams of a node what config.json and the settings document say. Loaded for that, then
forgotten.
"""

import gc

from esp_node import late, store
from esp_node.logger import log
from esp_node.sensors import IN_USE, find
from esp_node.sinks import Tele
from schema.errors import Invalid

_TRIAL_BEATS = 2  # heartbeats over a living link after which new settings have proved themselves
_RESERVED = ("sensor", "interval_s", "early", "send")


def resume(node):
    """At a start: take over what config.json and the kept document say.

    A document that was never confirmed made the node fail, so the one before is in force again.
    """
    path = node.folder + "settings.json"
    known = store.read(path, {})
    if "before" in known:
        known["data"] = known.pop("before")
        known["error"] = "the node did not come back with these settings; those of before are in force"
        log("error", "settings: " + known["error"])
        store.write(path, known)
    return make(node, known.get("data", {}))


def without(node, error):
    """At a start: the kept document cannot be, as when a driver is gone. Go on with config.json; Invalid when that is
    all there is, or when the start did not come so far."""
    if node.code:
        raise error
    path = node.folder + "settings.json"
    known = store.read(path, {})
    if not known.get("data"):
        raise error
    known["data"] = {}
    known["error"] = str(error)
    log("error", "settings: " + known["error"])
    store.write(path, known)
    return make(node, {})


def apply(node, body, seen):
    """Apply a checked document that came from the commander, on trial: what was in force before is kept until it is
    confirmed. When it cannot be, undo() is to be called. `seen` is remembered last: after a power cut it is applied
    again.
    """
    node.adopting = body, seen
    return make(node, body["data"])


def adopted(node):
    """The document is in force."""
    body, seen = node.adopting
    node.adopting = None
    path = node.folder + "settings.json"
    before = store.read(path, {}).get("data", {})
    store.write(path, {"rev": body["rev"], "data": body["data"], "before": before})
    store.remember(node, seen)
    node.on_trial = _TRIAL_BEATS
    return "birth", "tell", node, ("settings", "report", node)


def undo(node, error):
    """Applying failed with `error`: what was in force before is in force again, and the document refused."""
    body, seen = node.adopting
    node.adopting = None
    store.remember(node, seen)
    node.send("reported", {"rev": body["rev"], "status": "refused", "error": str(error)}, "settings")
    return make(node, store.read(node.folder + "settings.json", {}).get("data", {}))


def wanted(path, data):
    """(settings, sensors, streams) that the config.json at `path` and the document `data` ask for, together."""
    given = store.read(path, {})
    merged = {key: data.get(key, given.get(key)) for key in ("interval_s", "early")}
    sensors = dict(given.get("sensors", IN_USE))
    for name, change in data.get("sensors", {}).items():
        known = sensors.get(name)
        # `true` and `false` only switch: what config.json says of the sensor stays.
        sensors[name] = (known or True) if change is True else change
    streams = dict(given.get("streams", {}))
    streams.update(data.get("streams", {}))
    return merged, sensors, {name: streams[name] for name in streams if streams[name] is not None}


def make(node, data):
    """Take down the sensors and streams, and make those of the document `data`; what is left to do after that."""
    merged, sensors, streams = wanted(node.path, data)
    for task in node.tasks:
        node.scheduler.cancel(task)
        if node.alerts.get(task.name):
            late.call("trouble", "alert", node, task.name)
    for framed in node.framed:
        if framed.latest:
            node.send("latest", b"", framed.name)
    for sensor in node.sensors.values():
        if hasattr(sensor, "close"):
            sensor.close()
    node.tasks, node.sensors, node.framed = [], {}, []
    gc.collect()
    about = {}  # sensor -> (FIELDS, UNITS, DIGITS)
    told = {"parts": {}, "streams": {}}  # what the birth says of them
    jobs = {}  # (sensor, interval in ms, early) -> sinks
    modules = []
    for name in sorted(sensors):
        if sensors[name] is not False and not node.safe:
            own = {} if sensors[name] is True else sensors[name]
            modules.append(find(own.get("sensor", name)))
            about[name] = _make(node, name, modules[-1], own)
            every = int(1000 * own.get("interval_s", merged["interval_s"] or 5))
            jobs[name, every, own.get("early", merged["early"] or 0)] = sinks = []
            if own.get("send") != "none":
                sinks.append(Tele(node, name, about[name][0], about[name][2]).add)
                told["parts"][name] = dict(zip(about[name][0], about[name][1]))
    late.call("lean", "sensors", modules)
    if streams and not node.safe:
        return "streams", "settle", node, streams, about, jobs, told
    return "pacing", "schedule", node, jobs, told


def _make(node, name, module, own):
    try:
        node.sensors[name] = module.create(node, {key: own[key] for key in own if key not in _RESERVED})
    except Invalid as error:
        raise Invalid("sensors.%s.%s" % (name, error.field), error.problem)
    except (OSError, ValueError, TypeError) as error:  # of the machine's parts, which do not name an option
        raise Invalid("sensors." + name, str(error))
    return module.FIELDS, module.UNITS, module.DIGITS
