"""TSL2591 (ams data sheet, figures 13-20)."""
# ruff: noqa: PT018 (plain asserts: MicroPython has no pytest)

from _rig import attach, error, i2c_faults, near, refuses, time

from esp_node.sensors import tsl2591

WIRES = {"scl": 5, "sda": 4}
chip = attach(device="tsl2591", lux=350, ir_share=0.3, **WIRES)
sensor = tsl2591.create(None, WIRES)
assert sensor.get() == (None, None, None)  # the first integration takes 100 ms
time.sleep_ms(95)
assert sensor.get() == (None, None, None)
time.sleep_ms(5)
lux, full, infrared = sensor.get()
near(lux, 350, 0.3)
near(infrared / full, 0.3, 0.001)
assert tsl2591.create(None, WIRES).get() == (lux, full, infrared)  # it went on while the node was restarted

i2c_faults(tsl2591, chip, sensor, 100)

# Each gain and integration: its code in CONTROL (figure 16), and the same light.
for gain_code, gain, light in ((0, 1, 5000), (1, 25, 200), (2, 428, 20), (3, 9876, 1)):
    for time_code in range(6):
        integration = 100 * (time_code + 1)
        chip.power_on()
        chip.set({"lux": light / (time_code + 1)})
        options = {"scl": 5, "sda": 4, "gain": gain, "integration": integration}
        sensor = tsl2591.create(None, options)
        sensor.get()
        time.sleep_ms(integration)
        near(sensor.get()[0], light / (time_code + 1), light / 500)
        assert chip.registers[1] == gain_code << 4 | time_code and chip.registers[0] == 3

# Recorded bytes, low byte first: C0 = 4000, C1 = 1000. CPL = 100 * 25 / 408; lux = (C0 - C1) * (1 - C1 / C0) / CPL.
sensor = tsl2591.create(None, WIRES)
sensor.get()
chip.measure = lambda: None
chip.registers[0x14:0x18] = b"\xa0\x0f\xe8\x03"
lux, full, infrared = sensor.get()
near(lux, 3000 * 0.75 / (2500 / 408), 0.001)
assert (full, infrared) == (4000, 1000)
chip.registers[0x14:0x18] = b"\x00\x00\x00\x00"
assert sensor.get() == (0, 0, 0)
chip.registers[0x14:0x18] = b"\x01\x00\x02\x00"  # noise in the dark
assert sensor.get() == (0, 1, 2)

# Figure 16: 100 ms end at 36863 counts, all others at 65535.
chip.registers[0x14:0x18] = b"\xff\x8f\x00\x10"
assert "saturated" in error(ValueError, sensor.get)
chip.registers[0x14:0x18] = b"\xfe\x8f\x00\x10"
assert sensor.get()[1] == 36862
long = tsl2591.create(None, {"scl": 5, "sda": 4, "integration": 200})
chip.registers[0x14:0x18] = b"\xfe\xff\x00\x10"
assert long.get()[1] == 65534
chip.registers[0x14:0x18] = b"\xff\xff\x00\x10"
assert "saturated" in error(ValueError, long.get)
assert "lost its settings" in error(ValueError, sensor.get)  # `long` has changed them

# Reset behind our back, and another chip at this address.
chip.registers[0x14:0x18] = b"\xa0\x0f\xe8\x03"
assert long.get()[1] == 4000
chip.power_on()
assert "lost its settings: ENABLE 0, CONTROL 0" in error(ValueError, long.get)
long.get()
chip.registers[0x12] = 0x51
assert "wrong chip: id 51" in error(ValueError, long.get)
assert "wrong chip: id 51" in error(ValueError, long.get)

for field, value in (("gain", 16), ("gain", True), ("integration", 150), ("address", 0x39), ("lux", 1)):
    options = {"scl": 5, "sda": 4}
    options[field] = value
    refuses(tsl2591, options, field)
print("ok")
