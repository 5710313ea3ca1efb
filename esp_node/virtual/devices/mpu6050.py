"""An MPU-6050 on a virtual bus: accelerations in g, rotation in deg/s, temperature in °C.

Register map RM-MPU-6000A-00 rev. 4.2: reset values section 3, scales 4.17-4.19; start-up 30 ms, PS-MPU-6000A-00 6.2.
"""

from esp_node.virtual import clock
from esp_node.virtual.i2c import Registers, attach, word


class Mpu6050(Registers):
    PHYSICAL = {"ax": 0, "ay": 0, "az": 1, "gx": 0, "gy": 0, "gz": 0, "temp_c": 25}

    def reset(self):
        self.registers[0x6B] = 0x40  # asleep
        self.registers[0x75] = 0x68
        self.awake_since = None

    def write(self, register, byte):
        if register == 0x75 or 0x3B <= register < 0x49:
            return  # read only
        if register == 0x6B and byte & 0x80:
            return self.power_on()
        super().write(register, byte)
        if register == 0x6B:
            if byte & 0x40:
                self.awake_since = None
            elif self.awake_since is None:
                self.awake_since = clock.now()

    def measure(self):
        if self.awake_since is None or clock.now() - self.awake_since < 30000:
            return
        g = 16384 >> (self.registers[0x1C] >> 3 & 3)
        turn = (131, 65.5, 32.8, 16.4)[self.registers[0x1B] >> 3 & 3]
        for index, name in enumerate(("ax", "ay", "az")):
            word(self.registers, 0x3B + 2 * index, self.value(name) * g)
        word(self.registers, 0x41, (self.value("temp_c") - 36.53) * 340)
        for index, name in enumerate(("gx", "gy", "gz")):
            word(self.registers, 0x43 + 2 * index, self.value(name) * turn)


def create(settings):
    return attach(Mpu6050(settings), settings["scl"], settings["sda"], settings.get("address", 0x68))
