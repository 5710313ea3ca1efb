"""An ADXL345 on a virtual bus: accelerations in g. Data sheet rev. G, register map p. 23; its first value comes 11.1 ms
after it was switched on (p. 4, at 100 Hz)."""

from esp_node.virtual import clock
from esp_node.virtual.i2c import Registers, attach


class Adxl345(Registers):
    PHYSICAL = {"ax": 0, "ay": 0, "az": 1}

    def reset(self):
        self.registers[0x00] = 0xE5
        self.registers[0x2C] = 0x0A
        self.registers[0x30] = 0x02
        self.measures_since = None

    def write(self, register, byte):
        if register == 0x00 or register == 0x30 or 0x32 <= register < 0x38:
            return  # read only
        super().write(register, byte)
        if register == 0x2D:
            if not byte & 0x08:
                self.measures_since = None
            elif self.measures_since is None:
                self.measures_since = clock.now()

    def measure(self):
        if self.measures_since is None or clock.now() - self.measures_since < 11100:
            return
        kind = self.registers[0x31]
        # Full resolution keeps 256 steps a g; otherwise 10 bits are spread over the range.
        steps = 256 if kind & 0x08 else 256 >> (kind & 3)
        most = steps * (2 << (kind & 3))
        self.registers[0x30] |= 0x80
        for index, name in enumerate(("ax", "ay", "az")):
            count = max(-most, min(most - 1, round(self.value(name) * steps)))
            self.registers[0x32 + 2 * index] = count & 0xFF
            self.registers[0x33 + 2 * index] = count >> 8 & 0xFF


def create(settings):
    return attach(Adxl345(settings), settings["scl"], settings["sda"], settings.get("address", 0x53))
