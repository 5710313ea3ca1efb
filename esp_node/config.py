"""config.json, written by a person: read, checked, filled in. Every error names the field. Loaded
at the start, then forgotten."""

import json

from esp_node.settings import check_settings
from schema import tokens
from schema.errors import Invalid
from schema.text import is_id, is_name, is_text

DEFAULTS = {
    "root": "farm", "node": None, "token": None, "password": None, "verify": None, "interval_s": 5,
    "heartbeat_s": 5, "keepalive_s": 30,
    "timeout_s": 5, "backoff_s": 30, "queue": {"events": 12, "bytes": 2000}, "hears_marks": True,
    "frames": {},
    "sensors": {"load": True, "roundtrip": True}, "lossy": False,
}  # fmt: skip
_WHOLE = {"heartbeat_s": 3600, "keepalive_s": 3600, "timeout_s": 60, "backoff_s": 3600}


def load(path):
    """The checked configuration (dict, defaults filled in) of a JSON file. Invalid names the
    field, OSError when there is no file."""
    with open(path) as file:
        try:
            given = json.load(file)
        except ValueError:
            raise Invalid(path, "is not JSON")
    return check(given)


def check(given):
    """`given` with the defaults filled in; Invalid when it cannot work."""
    if not isinstance(given, dict):
        raise Invalid("config", "must be an object")
    for key in given:
        if key not in DEFAULTS and key not in ("domain", "brokers"):
            raise Invalid(
                key,
                "unknown setting; allowed: " + ", ".join(sorted(list(DEFAULTS) + ["domain", "brokers"])),
            )
    config = dict(DEFAULTS)
    config.update(given)
    if config["token"] is not None and "domain" not in config:
        config["domain"] = tokens.parse(config["token"])[0]
    is_name("root", config["root"])
    is_id("domain", config.get("domain"))
    if config["node"] is not None:
        is_id("node", config["node"])
    _check_brokers(config.get("brokers"))
    if config["token"] is None:
        for key in ("node", "password", "verify"):
            if config[key] is None:
                raise Invalid(key, "must be given, or a token instead")
            is_text(key, config[key], 128)
    for key, most in _WHOLE.items():
        _whole(key, config[key], 1, most)
    if not isinstance(config["queue"], dict):
        raise Invalid("queue", 'must be {"events": number, "bytes": number}')
    _whole("queue.events", config["queue"].get("events"), 1, 10000)
    _whole("queue.bytes", config["queue"].get("bytes"), 256, 10000000)
    for key in ("hears_marks", "lossy"):
        if not isinstance(config[key], bool):
            raise Invalid(key, "must be true or false")
    check_settings({"interval_s": config["interval_s"], "sensors": config["sensors"]})
    if not isinstance(config["frames"], dict):
        raise Invalid("frames", "must be an object of sensor -> frame_ms and values")
    for name, frame in config["frames"].items():
        if not isinstance(frame, dict):
            raise Invalid("frames." + name, "must be an object of frame_ms and values")
        for key in frame:
            if key not in ("frame_ms", "values"):
                raise Invalid("frames.%s.%s" % (name, key), "unknown; allowed: frame_ms, values")
            _whole("frames.%s.%s" % (name, key), frame[key], 0, 3600000)
    return config


def _check_brokers(brokers):
    if not isinstance(brokers, list) or not brokers:
        raise Invalid("brokers", 'must be a list of [host, port], for example [["127.0.0.1", 1883]]')
    for broker in brokers:
        if not isinstance(broker, list) or len(broker) != 2:
            raise Invalid("brokers", "must be a list of [host, port]")
        is_text("brokers.host", broker[0], 255)
        _whole("brokers.port", broker[1], 1, 65535)


def _whole(field, value, low, high):
    if type(value) is not int or not low <= value <= high:
        raise Invalid(field, "must be a whole number from %d to %d" % (low, high))
