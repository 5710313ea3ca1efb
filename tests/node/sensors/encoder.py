"""A rotary encoder: both ways, by interrupt (under heap_lock) and by an ESP32's hardware; lost edges."""

from _rig import attach, error, refuses, time

from esp_node.sensors import encoder
from esp_node.virtual import board

device = attach(device="encoder", a=25, b=26)
sensor = encoder.create(None, {"a": 25, "b": 26})
position = 0
assert sensor.get() == (0, 0)
for quarters in (1, 3, -1, -7, 400, -200, 2):
    device.turn(quarters, 500)
    time.sleep_ms(abs(quarters))
    position += quarters
    assert sensor.get() == (position, 0), quarters

# A contact that bounces goes back and forth between two positions.
device.turn(1)
device.a.play([(5000 + 100 * n, None if n % 2 else 0) for n in range(10)])
time.sleep_ms(10)
assert sensor.get()[1] == 0

before = sensor.get()
device.set({"fault": "absent"})
device.turn(20)
time.sleep_ms(100)
assert sensor.get() == before  # open contacts look like ones at rest
device.set({"fault": "garbage"})
device.turn(20)
time.sleep_ms(100)
assert "lost" in error(ValueError, sensor.get)
device.set({"fault": None})
device.turn(4)
time.sleep_ms(100)
position, errors = sensor.get()
assert errors == 20
device.turn(4)
time.sleep_ms(100)
assert sensor.get() == (position + 4, errors)
sensor.close()
device.turn(4)
time.sleep_ms(100)
assert sensor.get()[0] == position + 4

device = attach(device="encoder", a=32, b=33)
board.encoders = 1
sensor = encoder.create(None, {"a": 32, "b": 33})
for quarters in (5, -9, 104):
    device.turn(quarters, 100)
    time.sleep_ms(50)
assert sensor.get() == (100, None)
sensor.close()

refuses(encoder, {"a": 32}, "b", "must be given")
refuses(encoder, {"a": 32, "b": 33, "unit": 9}, "unit")
refuses(encoder, {"a": 32, "b": 33, "pull": "down"}, "pull")
print("ok")
