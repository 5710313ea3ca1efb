"""Switches a live board on: `micropython -m start FOLDER/config.json` in FOLDER, which is its flash and holds main.py;
MICROPYPATH is the folder of this file.

The board's own modules stay in the heap, as a chip's are in its ROM; what they share with the node is forgotten again,
so that the node takes all of its own from its slot.
"""

import os
import sys

rom = sys.path[1]
sys.path[:] = [rom, rom[: rom.rfind("/esp_node/")]]
import time  # noqa: E402, F401 (with it the board begins to live)

import machine  # noqa: E402, F401

for name in list(sys.modules):
    if name not in ("machine", "time") and not name.startswith("esp_node.virtual"):
        sys.modules[name] = None
        del sys.modules[name]
sys.path[:] = [os.getcwd(), rom, ".frozen"]
import main  # noqa: E402, F401
