"""Pages of the menu: all sensors with their values, and the test of one."""

from esp_node import late, store
from esp_node.clock import ticks_diff, ticks_us
from esp_node.menu_text import line, prompt
from esp_node.sensors import find


def overview(node):
    """All sensors with their values."""
    for name in sorted(node.sensors):
        _read(node, name)
    if not node.sensors:
        print("  no sensors")
    prompt(node)


def test(node):
    """Read the sensor whose letter is in node.menu."""
    names = sorted(node.sensors)
    at = ord(node.menu) - 97
    print()
    if 0 <= at < len(names):
        start = ticks_us()
        _read(node, names[at])
        line("time taken", "%.2f ms" % (ticks_diff(ticks_us(), start) / 1000))
    else:
        print("  no such sensor")
    prompt(node)


def _read(node, name):
    changed = store.read(node.folder + "settings.json", {}).get("data", {})
    own = late.call("measuring", "wanted", node.path, changed)[1].get(name)
    module, sensor = find(own.get("sensor", name) if isinstance(own, dict) else name), node.sensors[name]
    try:
        values = sensor.get()
        digits = getattr(module, "DIGITS", None) or [None] * len(values)
        parts = []
        for at in range(len(values)):
            value = values[at]
            if type(value) is float and digits[at] is not None:
                value = round(value, digits[at])
            text = "unknown" if value is None else "%s %s" % (value, module.UNITS[at])
            parts.append("%s %s" % (module.FIELDS[at], text.rstrip()))
        line(name, ", ".join(parts))
    except Exception as error:
        line(name, "error: %s: %s" % (type(error).__name__, error))
