"""MPU-6050: acceleration, rotation and temperature, out of one burst of 14 bytes.

Register map RM-MPU-6000A-00 rev. 4.2, sections 4.4, 4.5, 4.17-4.19, 4.28, 4.32. `accel` is the full scale in g,
`gyro` in deg/s.
"""

import struct

from esp_node.sensors._chip import Chip

NAME = "mpu6050"
FIELDS = ("ax", "ay", "az", "gx", "gy", "gz", "temp_c")
UNITS = ("g", "g", "g", "deg/s", "deg/s", "deg/s", "°C")
DIGITS = (4, 4, 4, 2, 2, 2, 2)

_GYRO_CONFIG = 27
_ACCEL_CONFIG = 28
_ACCEL_XOUT = 59
_PWR_MGMT = 107
_WHO_AM_I = 117


class Mpu6050(Chip):
    def __init__(self, options):
        from esp_node.sensors._options import choice

        super().__init__(options, (0x68, 0x69), {"accel": 2, "gyro": 250})
        self._accel = choice(self.options, "accel", (2, 4, 8, 16))
        self._gyro = choice(self.options, "gyro", (250, 500, 1000, 2000))

    def init(self):
        self.identify(_WHO_AM_I, b"\x68")
        self.write(_PWR_MGMT, 1)  # awake; the gyro's clock is steadier than the chip's own
        self.write(_GYRO_CONFIG, self._gyro << 3)
        self.write(_ACCEL_CONFIG, self._accel << 3)

    def measure(self, first):
        data = self.read(_ACCEL_XOUT, 14)
        if data == data[:1] * 14:  # it was reset, or a wire is broken
            if first and not data[0]:  # it was asleep; the gyro needs 30 ms
                return (None,) * 7
            raise ValueError("not measuring: all bytes are %d" % data[0])
        ax, ay, az, temp, gx, gy, gz = struct.unpack(">7h", data)
        g = 16384 >> self._accel
        turn = (131, 65.5, 32.8, 16.4)[self._gyro]
        return ax / g, ay / g, az / g, gx / turn, gy / turn, gz / turn, temp / 340 + 36.53


def create(node, options):
    return Mpu6050(options)
