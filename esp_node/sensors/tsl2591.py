"""TSL2591: light. `gain` is one of 1, 25, 428, 9876; `integration` in ms.

Registers: ams data sheet TSL2591, figures 13-20; lux: ams's formula ((C0 - C1) * (1 - C1 / C0)) / CPL with
CPL = integration * gain / 408. `full` is the count of channel 0 (visible and infrared), `ir` that of channel 1.
"""

import struct

from esp_node.sensors._chip import Chip

NAME = "tsl2591"
FIELDS = ("lux", "full", "ir")
UNITS = ("lx", "", "")
DIGITS = (3, 0, 0)

_ENABLE = 160  # 0xA0: the command "normal operation", register 0
_CONTROL = 161  # register 1
_ID = 178  # register 0x12
_ON = 3  # oscillator and light sensor
_AVALID = 1


class Tsl2591(Chip):
    def __init__(self, options):
        from esp_node.sensors._options import choice

        super().__init__(options, (0x29,), {"gain": 25, "integration": 100})
        gain = choice(self.options, "gain", (1, 25, 428, 9876))
        time = choice(self.options, "integration", (100, 200, 300, 400, 500, 600))
        self._control = gain << 4 | time

    def init(self):
        self.identify(_ID, b"\x50")
        self.write(_CONTROL, self._control)
        self.write(_ENABLE, _ON)

    def measure(self, first):
        enable, control = self.read(_ENABLE, 2)
        if enable != _ON or control != self._control:
            raise ValueError("has lost its settings: ENABLE %d, CONTROL %d" % (enable, control))
        identity, status, full, infrared = struct.unpack("<BBHH", self.read(_ID, 6))
        if identity != 0x50:
            raise ValueError("wrong chip: id %02x" % identity)
        if not status & _AVALID:
            return None, None, None
        if max(full, infrared) >= (65535 if self._control & 7 else 36863):
            raise ValueError("saturated: set a lower gain or a shorter integration")
        if full == 0:
            return 0, full, infrared
        per_lux = self.options["integration"] * self.options["gain"] / 408
        visible = max(0, full - infrared)  # in the dark the two channels differ by noise
        return visible * visible / full / per_lux, full, infrared


def create(node, options):
    return Tsl2591(options)
