"""The settings document: what the commander may change in a running node."""

from schema.message import Invalid

from esp_node.sensors import names


def check_settings(data):
    """Raise Invalid unless `data` is a settings document: {"interval_s": number, "sensors": {name: true or false}}, both optional."""
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
