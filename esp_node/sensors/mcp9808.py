"""MCP9808: temperature to 0.0625 degC.

Data sheet DS25095A, registers 5-4 (temperature), 5-5 (manufacturer), 5-6 (device). It converts by itself, four times a
second, from power-on.
"""

import struct

from esp_node.sensors._chip import Chip

NAME = "mcp9808"
FIELDS = ("temp_c",)
UNITS = ("°C",)
DIGITS = (4,)

_TEMPERATURE = 5
_MANUFACTURER = 6
_DEVICE = 7


class Mcp9808(Chip):
    def __init__(self, options):
        super().__init__(options, (0x18, 0x19, 0x1A, 0x1B, 0x1C, 0x1D, 0x1E, 0x1F), {})

    def init(self):
        self.identify(_MANUFACTURER, b"\x00\x54")
        self.identify(_DEVICE, b"\x04")  # the byte behind it is the revision

    def measure(self, first):
        (word,) = struct.unpack(">H", self.read(_TEMPERATURE, 2))
        if word == 0:  # at 0 degC the flag "at or above the limit 0" is set: it has not converted yet
            return (None,)
        sixteenths = word & 0x1FFF
        if sixteenths & 0x1000:
            sixteenths -= 0x2000
        # Above the upper and below the lower limit at once cannot be, nor what is outside the chip's range.
        if word & 0x6000 == 0x6000 or not -640 <= sixteenths <= 2000:
            raise ValueError("impossible answer %04x" % word)
        return (sixteenths / 16,)


def create(node, options):
    return Mcp9808(options)
