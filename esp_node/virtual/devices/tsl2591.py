"""A TSL2591 on a virtual bus: illuminance in lx, and the share of infrared in what channel 0 sees.

ams data sheet TSL2591, register figures 13-20. Registers are addressed through a command byte (0xA0 + address); the
counts follow ams's lux formula turned round.
"""

from esp_node.virtual import clock
from esp_node.virtual.i2c import Registers, attach

_GAIN = (1, 25, 428, 9876)


class Tsl2591(Registers):
    PHYSICAL = {"lux": 300, "ir_share": 0.25}

    def reset(self):
        self.registers[0x12] = 0x50
        self.on_since = None

    def point(self, byte):
        # Only command "normal operation" selects a register.
        self.pointer = byte & 0x1F if byte & 0xE0 == 0xA0 else 0x1F

    def write(self, register, byte):
        if register > 0x0C:
            return  # read only
        super().write(register, byte)
        on = self.registers[0] & 3 == 3
        if not on:
            self.registers[0x13] = 0
            self.on_since = None
        elif self.on_since is None:
            self.on_since = clock.now()

    def measure(self):
        control = self.registers[1]
        integration = 100 * ((control & 7) + 1)
        if self.on_since is None or clock.now() - self.on_since < integration * 1000:
            return
        share = self.value("ir_share")
        full = self.value("lux") * integration * _GAIN[control >> 4 & 3] / 408 / (1 - share) ** 2
        most = 36863 if control & 7 == 0 else 65535
        self.registers[0x13] |= 1
        for at, count in ((0x14, full), (0x16, full * share)):
            count = min(most, round(count))
            self.registers[at] = count & 0xFF
            self.registers[at + 1] = count >> 8


def create(settings):
    return attach(Tsl2591(settings), settings["scl"], settings["sda"], settings.get("address", 0x29))
