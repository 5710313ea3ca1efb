"""config.json, written by a person: read, checked, filled in. Every error names the field. Loaded
at the start, then forgotten."""

import json

from esp_node.sensors import IN_USE
from schema.errors import Invalid
from schema.text import is_id, is_name, is_text

DEFAULTS = {
    "root": "farm", "node": None, "token": None, "password": None, "verify": None, "interval_s": 5, "early": 0,
    "heartbeat_s": 5, "keepalive_s": 30, "timeout_s": 5, "backoff_s": 30, "queue": {"events": 12, "bytes": 2000},
    "hears_marks": True, "lossy": False, "sensors": IN_USE, "streams": {}, "spill_bytes": 0, "sleep": "none",
    "wifi": [], "hostname": None, "ca": None, "server_hostname": None, "ntp": [], "webrepl": True, "strap": None,
    "watchdog_s": 0, "trial_s": 120, "log": {}, "rig": {},
}  # fmt: skip
_OPTIONAL = ("domain", "brokers")
_WHOLE = {"heartbeat_s": 3600, "keepalive_s": 3600, "timeout_s": 60, "backoff_s": 3600, "trial_s": 3600}


def load(path):
    """The checked configuration (dict, defaults filled in) of a JSON file; settings.py checks what is measured. Invalid
    names the field, OSError when there is no file."""
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
        if key not in DEFAULTS and key not in _OPTIONAL:
            raise Invalid(key, "unknown setting; allowed: " + ", ".join(sorted(list(DEFAULTS) + list(_OPTIONAL))))
    config = dict(DEFAULTS)
    config.update(given)
    if config["token"] is not None and "domain" not in config:
        from schema import tokens

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
    _whole("spill_bytes", config["spill_bytes"], 0, 100000000)
    _whole("watchdog_s", config["watchdog_s"], 0, 3600)
    if config["sleep"] not in ("none", "light", "deep"):
        raise Invalid("sleep", "must be none, light or deep")
    for key in ("hostname", "ca", "server_hostname"):
        if config[key] is not None:
            is_text(key, config[key], 255)
    _check_wifi(config["wifi"])
    if not isinstance(config["ntp"], list):
        raise Invalid("ntp", "must be a list of hosts, or of [host, port]")
    for server in config["ntp"]:
        _check_place("ntp", server if isinstance(server, list) else [server, 123])
    if config["strap"] not in (None, False):
        _whole("strap", config["strap"], 0, 99)
    _check_log(config["log"])
    config["rig"] = _rig(config["rig"])
    for key in ("hears_marks", "lossy", "webrepl"):
        if not isinstance(config[key], bool):
            raise Invalid(key, "must be true or false")
    return config


def _check_brokers(brokers):
    if not isinstance(brokers, list) or not brokers:
        raise Invalid("brokers", 'must be a list of [host, port], for example [["127.0.0.1", 1883]]')
    for broker in brokers:
        _check_place("brokers", broker)


def _check_place(field, place):
    if not isinstance(place, list) or len(place) != 2:
        raise Invalid(field, "must be a list of [host, port]")
    is_text(field + ".host", place[0], 255)
    _whole(field + ".port", place[1], 1, 65535)


def _check_wifi(networks):
    if not isinstance(networks, list):
        raise Invalid("wifi", "must be a list of [ssid, password]")
    for network in networks:
        if not isinstance(network, list) or len(network) != 2:
            raise Invalid("wifi", "must be a list of [ssid, password]")
        is_text("wifi.ssid", network[0], 32)
        if not isinstance(network[1], str) or not (network[1] == "" or 8 <= len(network[1].encode()) <= 63):
            raise Invalid("wifi.password", "must be empty, or 8 to 63 bytes long")


def _check_log(log):
    if not isinstance(log, dict) or (log and set(log) != {"file", "max_len"}):
        raise Invalid("log", 'must be {} or {"file": name, "max_len": bytes}')
    if log:
        is_text("log.file", log["file"], 64)
        _whole("log.max_len", log["max_len"], 256, 1000000)


def _rig(rig):
    filled = {"scl": 5, "sda": 4, "freq": 100000, "pace": 0}
    if not isinstance(rig, dict):
        raise Invalid("rig", "must be an object of: " + ", ".join(sorted(filled)))
    for key in rig:
        if key not in filled:
            raise Invalid("rig." + key, "unknown; allowed: " + ", ".join(sorted(filled)))
    filled.update(rig)
    for key, most in (("scl", 63), ("sda", 63), ("freq", 400000), ("pace", 65535)):
        _whole("rig." + key, filled[key], 1000 if key == "freq" else 0, most)
    return filled if rig else {}


def _whole(field, value, low, high):
    if type(value) is not int or not low <= value <= high:
        raise Invalid(field, "must be a whole number from %d to %d" % (low, high))
