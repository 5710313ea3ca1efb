"""One file is one sensor: NAME (that of the file), FIELDS, UNITS, and create(node, options), whose
result has get().

get() returns one value per field (number, text, bool, or None for unknown), in the order of FIELDS,
and never blocks for long.
"""

import os
import sys


def names():
    """Names of all sensors in this folder (sorted list of str)."""
    # MicroPython's __file__ of a package is that of its __init__; it has no os.path.
    found = set()
    for file in os.listdir(__file__.rsplit("/", 1)[0]):
        name, _, ending = file.partition(".")
        if ending in ("py", "mpy") and name[0] != "_":
            found.add(name)
    return sorted(found)


def find(name):
    """The module of the sensor `name`."""
    full = "esp_node.sensors." + name
    __import__(full)
    return sys.modules[full]
