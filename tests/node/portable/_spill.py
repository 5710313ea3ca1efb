"""What spill.py and spill_lives.py share: an outbox with a spill file in a folder of its own, and what is in that
folder."""

import os
import random
from binascii import hexlify

from esp_node.outbox import Outbox
from esp_node.spill import Spill

FOLDER = (os.getenv("TMPDIR") or "/tmp") + "/spill-" + str(hexlify(os.urandom(6)), "ascii")
SECTOR = 4096


def segments():
    return sorted([int(first), int(last)] for first, _, last in [n.partition("-") for n in names()] if last.isdigit())


def names():
    return os.listdir(FOLDER)


def size(name):
    return os.stat(FOLDER + "/" + name)[6]


def clean():
    try:
        for name in names():
            os.remove(FOLDER + "/" + name)
    except OSError:
        return
    os.rmdir(FOLDER)


def boot(most=8 * SECTOR, events=20, memory=1500):
    return Outbox("unused", events, memory, True, Spill(FOLDER, most, "e-" + str(random.getrandbits(20))))
