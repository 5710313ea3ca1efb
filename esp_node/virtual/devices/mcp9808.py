"""An MCP9808 on a virtual bus: temperature in °C. Data sheet DS25095A, section 5: 16-bit registers, and a pointer that
does not count on; a conversion takes 250 ms (p. 4)."""

from esp_node.virtual import clock
from esp_node.virtual.i2c import Registers, attach


class Mcp9808(Registers):
    PHYSICAL = {"temp_c": 25}

    def reset(self):
        # Words by pointer: configuration, three limits, temperature, manufacturer, device and revision, resolution
        self.words = [0, 0, 0, 0, 0, 0, 0x0054, 0x0400, 3]
        self.on_since = clock.now()

    def receive(self, data):
        count = super().receive(data)
        if count >= 3 and self.pointer in (1, 2, 3, 4):
            self.words[self.pointer] = data[1] << 8 | data[2]
        return count

    def point(self, byte):
        self.pointer = byte & 0x0F

    def write(self, register, byte):
        self.pointer = (self.pointer - 1) & 0xFF  # receive() counts on; this chip does not

    def send(self, count):
        if self.fault == "garbage":
            return b"\xff" * count
        self.measure()
        value = self.words[self.pointer] if self.pointer < 9 else 0
        both = bytes([value]) if self.pointer == 8 else bytes([value >> 8, value & 0xFF])
        return (both + b"\xff" * count)[:count]

    def measure(self):
        if clock.now() - self.on_since < 250000:
            return
        sixteenths = round(self.value("temp_c") * 16)
        upper, lower, critical = (self._limit(pointer) for pointer in (2, 3, 4))
        flags = (sixteenths >= critical) << 15 | (sixteenths > upper) << 14 | (sixteenths < lower) << 13
        self.words[5] = flags | sixteenths & 0x1FFF

    def _limit(self, pointer):
        value = self.words[pointer] & 0x1FFC
        return value - 0x2000 if value & 0x1000 else value


def create(settings):
    return attach(Mcp9808(settings), settings["scl"], settings["sda"], settings.get("address", 0x18))
