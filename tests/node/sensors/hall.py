"""Hall sensors: a linear one (SS49E: half the supply without a field, 1.4 mV/G = 14 mV/mT), a switch (A3144: output low
at a magnet), and that of an ESP32 with old firmware."""

import sys

from _rig import attach, error, near, refuses

from esp_node.sensors import hall

# Linear: 50 mT are 0.7 V, at 3.3 V full scale 13902 counts.
linear = attach(device="hall", pin=34, analog=True)
sensor = hall.create(None, {"pin": 34, "analog": True})
raw, magnet = sensor.get()
near(raw, 0, 16)
assert magnet is False
linear.set({"field": -50})
raw, magnet = sensor.get()
near(raw, -13902, 16)
assert magnet is True
near(hall.create(None, {"pin": 34, "analog": True, "rest": 30000}).get()[0], 32768 - 30000 - 13902, 16)
assert hall.create(None, {"pin": 34, "analog": True, "threshold": 14000}).get()[1] is False
for fault, kind in (("absent", ValueError), ("garbage", ValueError), ("busy", OSError)):
    linear.set({"fault": fault})
    error(kind, sensor.get)
    linear.set({"fault": None})
    near(sensor.get()[0], -13902, 16)

# Switch: hysteresis is its own.
switch = attach(device="hall", pin=4)
sensor = hall.create(None, {"pin": 4})
for field, magnet in ((0, False), (9, False), (10, True), (8, True), (7, False)):
    switch.set({"field": field})
    assert sensor.get() == (None, magnet), field
switch.set({"fault": "absent", "field": 20})  # the pull-up of our pin: no magnet
assert sensor.get() == (None, False)
switch.set({"fault": "garbage", "field": 0})  # shorted to ground; a switch cannot tell
assert sensor.get() == (None, True)
switch.set({"fault": None})
assert sensor.get() == (None, False)

# Inside an ESP32: gone since firmware 1.21, found where it still is.
refuses(hall, {}, "pin", "no Hall sensor of its own")


class Esp32:
    @staticmethod
    def hall_sensor():
        return 2300


sys.modules["esp32"] = Esp32
assert hall.create(None, {}).get() == (2300, True)
del Esp32.hall_sensor
refuses(hall, {}, "pin", "no Hall sensor of its own")

for field, value in (("pin", -1), ("analog", 1), ("rest", -1), ("threshold", 0), ("gain", 2)):
    options = {"pin": 34}
    options[field] = value
    refuses(hall, options, field)
refuses(hall, {"pin": 35, "analog": True}, "pin", "pin 35")
print("ok")
