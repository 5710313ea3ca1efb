"""ADXL345 (data sheet rev. G)."""
# ruff: noqa: PT018 (plain asserts: MicroPython has no pytest)

from _rig import attach, error, i2c_faults, near, refuses, time

from esp_node.sensors import adxl345

WIRES = {"scl": 22, "sda": 21}
chip = attach(device="adxl345", ax=-0.25, ay=0.1, **WIRES)
sensor = adxl345.create(None, WIRES)
assert sensor.get() == (None, None, None)  # p. 4: 11.1 ms until the first value at 100 Hz
time.sleep_ms(12)
ax, ay, az = sensor.get()
assert (ax, az) == (-0.25, 1)
near(ay, 0.1, 0.002)
assert adxl345.create(None, WIRES).get()[2] == 1  # it went on while the node was restarted

i2c_faults(adxl345, chip, sensor, 12)

# Recorded bytes, low byte first (p. 27); table 1: 256 LSB/g in full resolution, whatever the range.
chip.measure = lambda: None
chip.registers[0x32:0x38] = b"\x00\x01\x00\xff\x80\x00"
for index, full_scale in enumerate((2, 4, 8, 16)):
    scaled = adxl345.create(None, {"scl": 22, "sda": 21, "range": full_scale})
    assert scaled.get() == (1, -1, 0.5)
    assert chip.registers[0x31] == 8 | index and chip.registers[0x2D] == 8
chip.registers[0x32:0x38] = b"\xff\x0f\x00\xf0\xff\xff"  # the ends of the 13 bits at 16 g
assert scaled.get() == (4095 / 256, -16, -1 / 256)

# Reset behind our back: standby (POWER_CTL 0), range 2 g, 10 bits.
chip.power_on()
assert "lost its settings" in error(ValueError, scaled.get)
scaled.get()
assert chip.registers[0x31] == 0x0B
chip.registers[0x31] = 0
assert "DATA_FORMAT 0" in error(ValueError, scaled.get)

attach(device="adxl345", address=0x1D, ax=0.75, **WIRES)
other = adxl345.create(None, {"scl": 22, "sda": 21, "address": 0x1D})
other.get()
time.sleep_ms(12)
assert other.get() == (0.75, 0, 1)

for field, value in (("range", 3), ("range", None), ("address", 0x68), ("scl", 64), ("freq", "x"), ("accel", 2)):
    options = {"scl": 22, "sda": 21}
    options[field] = value
    refuses(adxl345, options, field)
refuses(adxl345, {"sda": 5}, "scl", "must be given")
print("ok")
