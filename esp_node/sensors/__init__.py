"""One file is one sensor; files that begin with an underscore are what sensors share. A sensor's file has

NAME    its own name
FIELDS  names of what it measures, UNITS one of schema/units.py for each, DIGITS the decimals that its resolution
        justifies: 0 for whole numbers and bools, None for text
create(node, options)  a sensor with these options (a dict); Invalid names the one that is wrong

A sensor's get() returns one value per field (number, text, bool, or None for unknown), and never blocks for long.
OSError: the device does not answer; ValueError: what it answers cannot be true. It is asked again later, and must work
again once the device does. The optional close() gives back its pins and interrupts. Once the sensors are made, create,
NAME, UNITS and OPTIONS are taken out of their modules (lean.py): methods do without these.
"""

import sys

IN_USE = {"load": True, "connectivity": True}  # where config.json names none


def names():
    """Names of all sensors in this folder (sorted list of str)."""
    from esp_node import common

    return common.names(__path__)


def find(name):
    """The module of the sensor `name`."""
    full = "esp_node.sensors." + name
    __import__(full)
    return sys.modules[full]
