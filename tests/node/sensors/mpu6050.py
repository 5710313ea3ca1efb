"""MPU-6050 (PS-MPU-6000A-00 rev. 3.4, RM-MPU-6000A-00 rev. 4.2)."""
# ruff: noqa: PT018 (plain asserts: MicroPython has no pytest)

from _rig import attach, error, i2c_faults, near, refuses, time

from esp_node.sensors import mpu6050

WIRES = {"scl": 5, "sda": 4}
chip = attach(device="mpu6050", ax=-0.5, gx=12.5, temp_c=-10, **WIRES)
sensor = mpu6050.create(None, WIRES)
assert sensor.get() == (None,) * 7  # it slept (register 107 is 0x40 after reset), and needs 30 ms
time.sleep_ms(30)
ax, ay, az, gx, gy, gz, temp = sensor.get()
assert (ax, ay, az, gy, gz) == (-0.5, 0, 1, 0, 0)
near(gx, 12.5, 0.004)
near(temp, -10, 0.002)

# A second sensor object, as after a restart of the node alone: the chip is awake, its first values are there at once.
assert mpu6050.create(None, WIRES).get()[2] == 1

i2c_faults(mpu6050, chip, sensor, 30)

# Recorded bytes. PS 6.2: 16384 LSB/g; 6.1: 131 LSB/(deg/s); 6.3: 35 degC is -521 LSB (RM 4.18: / 340 + 36.53).
chip.measure = lambda: None
chip.registers[0x3B:0x49] = b"\x40\x00\xc0\x00\x20\x00\xfd\xf7\x00\x83\xff\x7d\x7f\xff"
values = sensor.get()
assert values[:3] == (1, -1, 0.5)
assert values[3:5] == (1, -1)
near(values[5], 32767 / 131, 1e-4)
near(values[6], 35, 0.01)

# The same bytes at the other full scales (RM 4.4, 4.5, 4.17, 4.19), and what is written for them.
for index, (accel, gyro, steps) in enumerate(((2, 250, 131), (4, 500, 65.5), (8, 1000, 32.8), (16, 2000, 16.4))):
    scaled = mpu6050.create(None, {"scl": 5, "sda": 4, "accel": accel, "gyro": gyro}).get()
    assert scaled[:3] == (accel / 2, -accel / 2, accel / 4)
    near(scaled[5], 32767 / steps, 1e-3)
    assert chip.registers[0x1B] == chip.registers[0x1C] == index << 3
    assert chip.registers[0x6B] == 1

# It was reset behind our back, and sleeps: all data registers are 0.
chip.power_on()
assert "not measuring" in error(ValueError, sensor.get)
assert sensor.get() == (None,) * 7 and chip.registers[0x6B] == 1

attach(device="mpu6050", address=0x69, az=-1, **WIRES)
other = mpu6050.create(None, {"scl": 5, "sda": 4, "address": 0x69})
assert other.bus is sensor.bus
other.get()
time.sleep_ms(30)
assert other.get()[2] == -1

for field, value in (
    ("accel", 3),
    ("gyro", True),
    ("address", 0x53),
    ("scl", -1),
    ("sda", "4"),
    ("freq", 1),
    ("rate", 1),
):
    options = {"scl": 5, "sda": 4}
    options[field] = value
    refuses(mpu6050, options, field)
refuses(mpu6050, {"scl": 5}, "sda", "must be given")
refuses(mpu6050, {"scl": 64, "sda": 4}, "scl", "from 0 to 63")
refuses(mpu6050, {"scl": 63, "sda": 4}, "scl", "pin 63: ")  # the machine knows of no such pin
refuses(mpu6050, {"scl": 5, "sda": 4, "freq": 999}, "freq", "from 1000 to 1000000")
refuses(mpu6050, {"scl": 5, "sda": 4, "freq": 1000001}, "freq")
for freq in (1000, 1000000):
    mpu6050.create(None, {"scl": 0, "sda": 4, "freq": freq})
print("ok")
