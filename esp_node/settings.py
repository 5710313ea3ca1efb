"""The settings document: what the commander may change in a running node, on top of config.json.

{"interval_s": seconds, "early": fraction, "sensors": {name: true, false or {...}}, "streams": {name: {...} or null}},
all optional. A sensor's object holds "sensor" (its kind, by default the name), "interval_s", "early", "send" ("tele" or
"none") and the options of its driver. Loaded when a document comes, then forgotten.
"""

from esp_node import late, store
from esp_node.sensors import names
from schema.errors import Invalid
from schema.text import is_id

KEYS = ("interval_s", "early", "sensors", "streams")


def desired(node, body, seen):
    """A newer document came: what shall be done next."""
    try:
        check_settings(body["data"])
    except Invalid as error:
        return refuse(node, body["rev"], seen, error)
    return "measuring", "apply", node, body, seen


def refuse(node, rev, seen, error):
    """Report that a document is refused, and why."""
    store.remember(node, seen)
    node.send("reported", {"rev": rev, "status": "refused", "error": str(error)}, "settings")
    raise error


def check_settings(data):
    """Raise Invalid unless the shape of `data` is right; drivers and steps check their own options when they are
    made.
    """
    if not isinstance(data, dict):
        raise Invalid("settings", "must be an object")
    for key in data:
        if key not in KEYS:
            raise Invalid(key, "unknown setting; allowed: " + ", ".join(KEYS))
    _number("interval_s", data.get("interval_s", 1), 0.01, 604800)
    _number("early", data.get("early", 0), 0, 0.9)
    for key in ("sensors", "streams"):
        if not isinstance(data.get(key, {}), dict):
            raise Invalid(key, "must be an object of name -> settings")
    sensors = data.get("sensors", {})
    for name in sensors:
        _check_sensor(name, sensors[name])


def check_given(given):
    """Raise Invalid unless what config.json says of these settings is right."""
    check_settings({key: given[key] for key in KEYS if key in given})


def confirm(node):
    """The node is back with its new settings: keep them, and say so."""
    known = store.read(node.folder + "settings.json", {})
    if "before" in known:
        del known["before"]
        store.write(node.folder + "settings.json", known)
        report(node)


def report(node):
    """Tell the commander what became of the newest document, and what is in force."""
    known = store.read(node.folder + "settings.json", {})
    if "rev" in known:
        status = "failed" if "error" in known else "pending" if "before" in known else "applied"
        answer = {"rev": known["rev"], "status": status, "data": _in_force(node, known.get("data", {}))}
        if "error" in known:
            answer["error"] = known["error"]
        node.send("reported", answer, "settings")


def _in_force(node, data):
    merged, sensors, streams = late.call("measuring", "wanted", node.path, data)
    return {
        "interval_s": merged["interval_s"] or 5,
        "sensors": {name: name in node.sensors for name in sensors},
        "streams": sorted(streams),
    }


def _check_sensor(name, value):
    field = "sensors." + name
    is_id(field, name)
    if isinstance(value, dict):
        _number(field + ".interval_s", value.get("interval_s", 1), 0.01, 604800)
        _number(field + ".early", value.get("early", 0), 0, 0.9)
        if value.get("send", "tele") not in ("tele", "none"):
            raise Invalid(field + ".send", "must be tele or none")
    elif not isinstance(value, bool):
        raise Invalid(field, "must be true, false or an object")
    kind = value.get("sensor", name) if isinstance(value, dict) else name
    if value is not False and kind not in names():
        raise Invalid(field, "unknown sensor; this node has: " + ", ".join(names()))


def _number(field, value, low, high):
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise Invalid(field, "must be a number from %s to %s" % (low, high))
