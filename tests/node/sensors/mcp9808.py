"""MCP9808 (data sheet DS25095A)."""

from _rig import attach, error, i2c_faults, refuses, time

from esp_node.sensors import mcp9808

WIRES = {"scl": 5, "sda": 4}
chip = attach(device="mcp9808", temp_c=21.5, **WIRES)
sensor = mcp9808.create(None, WIRES)
assert sensor.get() == (None,)  # p. 4: 250 ms for a conversion at 0.0625 degC
time.sleep_ms(250)
assert sensor.get() == (21.5,)
for temp in (-40, -0.0625, 0, 0.0625, 125):
    chip.set({"temp_c": temp})
    assert sensor.get() == (temp,)

i2c_faults(mcp9808, chip, sensor, 250, writes=False)

# Recorded bytes of the temperature register, flags in the first three bits.
chip.measure = lambda: None
for recorded, temp in (
    (0xC194, 25.25),  # section 5.1.3, figure "reading +25.25 degC from the TA register"
    (0x0194, 25.25),  # the same below limits that somebody set
    (0x2194, 25.25),
    (0x3FFF, -0.0625),  # two's complement of 13 bits, section 5.1.3.1
    (0x3D80, -40),
    (0xC7D0, 125),
    (0x8000, 0),
):
    chip.words[5] = recorded
    assert sensor.get() == (temp,), recorded
for impossible in (0xFFFF, 0x6194, 0x3D7F, 0xC7D1):
    chip.words[5] = impossible
    assert "impossible answer" in error(ValueError, sensor.get)
chip.words[5] = 0xC194
assert sensor.get() == (25.25,)

# Another chip at this address: the manufacturer's, then the device's register differs (registers 5-5, 5-6).
for register, value in ((6, 0x0055), (7, 0x0200)):
    good, chip.words[register] = chip.words[register], value
    assert "wrong chip" in error(ValueError, mcp9808.create(None, WIRES).get)
    chip.words[register] = good
chip.words[7] = 0x0401  # a later revision is welcome
assert mcp9808.create(None, WIRES).get() == (25.25,)

for address in range(0x18, 0x20):
    attach(device="mcp9808", address=address, temp_c=address, **WIRES)
time.sleep_ms(250)
every = [mcp9808.create(None, {"scl": 5, "sda": 4, "address": address}) for address in range(0x18, 0x20)]
assert [one.get()[0] for one in every] == list(range(0x18, 0x20))

for field, value in (("address", 0x20), ("address", "24"), ("scl", 1.5), ("freq", 2000000), ("resolution", 3)):
    options = {"scl": 5, "sda": 4}
    options[field] = value
    refuses(mcp9808, options, field)
print("ok")
