"""The `streams` of a configuration: their settings, checked. Loaded for that only."""

from schema.errors import Invalid
from schema.text import is_name

_SETTINGS = {"from": ..., "steps": [], "send": "tele", "frame": {}, "latest": False}


def settle(node, streams, about, jobs, told):
    """Go on with settled() streams, see measuring.py."""
    return "graph", "build", node, settled(streams), about, jobs, told


def settled(streams):
    """{stream: settings, filled in}; from is a list, frame_ms and values are taken out of frame. Invalid names the
    place."""
    if not isinstance(streams, dict):
        raise Invalid("streams", "must be an object of stream -> settings")
    filled = {}
    for name in streams:
        path = "streams." + str(name)
        is_name(path, name)
        filled[name] = _settings(path, streams[name])
        _check_frame(path, filled[name])
    return filled


def _settings(path, given):
    if not isinstance(given, dict):
        raise Invalid(path, "must be an object of: " + ", ".join(sorted(_SETTINGS)))
    for key in given:
        if key not in _SETTINGS:
            raise Invalid("%s.%s" % (path, key), "unknown; allowed: " + ", ".join(sorted(_SETTINGS)))
    about = dict(_SETTINGS)
    about.update(given)
    sources = about["from"]
    if isinstance(sources, str):
        about["from"] = sources = [sources]
    if not isinstance(sources, list) or not sources or len(set([str(name) for name in sources])) < len(sources):
        raise Invalid(path + ".from", "must be a sensor or stream, or a list of different ones")
    if not isinstance(about["steps"], list):
        raise Invalid(path + ".steps", 'must be a list of {"step": name, options}')
    if about["send"] not in ("tele", "frame", "none"):
        raise Invalid(path + ".send", "must be tele, frame or none")
    if not isinstance(about["latest"], bool):
        raise Invalid(path + ".latest", "must be true or false")
    return about


def _check_frame(path, about):
    frame = about["frame"]
    if not isinstance(frame, dict):
        raise Invalid(path + ".frame", "must be an object of frame_ms and values")
    for key in frame:
        if key not in ("frame_ms", "values"):
            raise Invalid("%s.frame.%s" % (path, key), "unknown; allowed: frame_ms, values")
        if type(frame[key]) is not int or not 0 <= frame[key] <= 3600000:
            raise Invalid("%s.frame.%s" % (path, key), "must be a whole number from 0 to 3600000")
    about["frame_ms"] = frame.get("frame_ms", 0)
    about["values"] = frame.get("values", 0)
