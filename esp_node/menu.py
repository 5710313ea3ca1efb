"""The menu on the serial console: any key opens it. Loaded for each key and then forgotten, so nothing waits here:
node.menu says whose the next key is ("" nobody's, "menu", "sensor", "wifi", or a tuple: that of the rig, see
mining/console.py). The longer pages are in menu_*.py."""

import select
import sys

from esp_node.clock import mono_ms
from esp_node.logger import last

_PAGES = {
    "1": ("menu_status", "status"), "2": ("menu_sensors", "overview"),
    "3": ("menu_status", "statistics"), "4": ("menu_wifi", "wifi"),
}  # fmt: skip


def console(node):
    """Set node.console to a poller of the console, None without one; serve() is to be called when it has something."""
    node.menu = ""
    try:
        poller = select.poll()
        poller.register(sys.stdin, select.POLLIN)
        node.console = poller
    except (OSError, AttributeError, TypeError):
        node.console = None


def serve(node):
    """A key was pressed. Returns what is to be called for it, (module, function, arguments after the node), or None."""
    keys = _keys(node)
    page = node.menu
    if keys is None:
        node.console = None  # the end of a file: nobody sits there
    if isinstance(page, tuple):
        return "mining.console", "typed", keys
    if keys is None:
        return None
    key = keys[0]
    if page == "sensor":
        node.menu = key
        return "menu_sensors", "test"
    elif page == "wifi" and key == "r":
        return "menu_wifi", "reconnect"
    elif page != "menu" or key in "\r\n":
        show(node)
    elif key in _PAGES:
        print()
        return _PAGES[key]
    elif key == "5" and node.sensors:
        _choose(node)
    elif key == "6":
        print()
        for line in last():
            print("  " + line[:78])
        print("\n> ", end="")
    elif key == "7":
        print("restart")
        node.scheduler.tasks.clear()
    elif key == "8" and node.rig:
        print()
        return "mining.console", "begin"
    else:
        node.menu = ""
        print("left the menu")


def show(node):
    """The menu itself."""
    node.menu = "menu"
    up = mono_ms() // 1000
    print("\n%s   %s   up %d d %02d:%02d:%02d" % (
        node.software, node.name, up // 86400, up // 3600 % 24, up // 60 % 60, up % 60,
    ))  # fmt: skip
    print("  1 status   2 overview   3 statistics   4 Wi-Fi   5 test a sensor   6 logs")
    print("  7 restart  %sreturn: this menu   any other key: leave" % ("8 rig   " if node.rig else ""))
    print("> ", end="")


def _keys(node):
    # With the rest of an arrow key, or the line end of a terminal that sends lines.
    stream = getattr(sys.stdin, "buffer", sys.stdin)
    keys = ""
    while len(keys) < 17 and (not keys or node.console.poll(0)):
        key = stream.read(1)
        if not key:
            return keys or None
        keys += chr(key[0]).lower() if key[0] < 128 else "?"
    return keys


def _choose(node):
    print()
    names = sorted(node.sensors)
    for at in range(len(names)):
        print("  %s %s" % (chr(97 + at), names[at]))
    print("\nletter of the sensor: ", end="")
    node.menu = "sensor"
