"""ADXL345: acceleration, always in full resolution (256 steps a g). `range` is the full scale in g.

Data sheet rev. G, register map p. 23 and register definitions p. 24-27.
"""

import struct

from esp_node.sensors._chip import Chip

NAME = "adxl345"
FIELDS = ("ax", "ay", "az")
UNITS = ("g", "g", "g")
DIGITS = (3, 3, 3)

_DEVID = 0
_POWER_CTL = 45  # 0x2D
_DATA_FORMAT = 49  # 0x31
_MEASURE = 8
_FULL_RES = 8
_DATA_READY = 128


class Adxl345(Chip):
    def __init__(self, options):
        from esp_node.sensors._options import choice

        super().__init__(options, (0x53, 0x1D), {"range": 2})
        self._format = _FULL_RES | choice(self.options, "range", (2, 4, 8, 16))

    def init(self):
        self.identify(_DEVID, b"\xe5")
        self.write(_DATA_FORMAT, self._format)
        self.write(_POWER_CTL, _MEASURE)

    def measure(self, first):
        # One burst from POWER_CTL over INT_SOURCE and DATA_FORMAT to DATAZ1: a chip that was reset shows itself.
        data = self.read(_POWER_CTL, 11)
        if data[0] != _MEASURE or data[4] != self._format:
            raise ValueError("has lost its settings: POWER_CTL %d, DATA_FORMAT %d" % (data[0], data[4]))
        if first and not data[3] & _DATA_READY:  # the first value comes 11 ms after it was switched on
            return None, None, None
        ax, ay, az = struct.unpack("<3h", data[5:])
        return ax / 256, ay / 256, az / 256


def create(node, options):
    return Adxl345(options)
