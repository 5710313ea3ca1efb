"""Touch: pads (ESP32: the count falls; S2, S3: it rises) and a TTP223 module (high while touched)."""
# ruff: noqa: PT018 (plain asserts: MicroPython has no pytest)

from _rig import attach, error, refuses

from esp_node.sensors import touch
from esp_node.virtual.pins import line

pad = attach(device="touch", pin=4)
bare = touch.create(None, {"pin": 4})
assert bare.get() == (None, 1000)
sensor = touch.create(None, {"pin": 4, "threshold": 600, "hysteresis": 100})
assert sensor.get() == (False, 1000)
pad.set({"touched": True})
assert sensor.get() == (True, 300) and bare.get() == (None, 300)
pad.set({"touched": False})
# Hysteresis: touched below 550, released above 650.
for count, touched in ((650, True), (651, False), (600, False), (550, False), (549, True), (650, True), (700, False)):
    pad.set({"count": count})
    assert sensor.get() == (touched, count), count

rising = touch.create(None, {"pin": 4, "threshold": 30000, "hysteresis": 2000, "rises": True})
for count, touched in ((24000, False), (31000, False), (31001, True), (29000, True), (28999, False)):
    pad.set({"count": count})
    assert rising.get() == (touched, count), count

pad.set({"count": 300})
for fault, word in (("garbage", "shorted"), ("busy", "Touch pad error")):
    pad.set({"fault": fault})
    assert word in error(ValueError, sensor.get)
    pad.set({"fault": None})
    assert sensor.get() == (True, 300)

module = attach(device="touch", pin=14, module=True)
sensor = touch.create(None, {"pin": 14, "module": True})
assert sensor.get() == (False, None)
module.set({"touched": True})
assert sensor.get() == (True, None)
module.set({"fault": "absent"})  # the pull-down of our pin: nothing is touched
assert sensor.get() == (False, None)
module.set({"fault": "garbage", "touched": False})  # stuck; one wire cannot tell
assert sensor.get() == (True, None)
module.set({"fault": None})
assert sensor.get() == (False, None)

line(15).weak = 1
assert touch.create(None, {"pin": 15, "module": True}).get() == (False, None)  # nor where a pull-up of the pin was on

refuses(touch, {}, "pin", "must be given")
refuses(touch, {"pin": 5}, "pin", "pin 5")  # no pad
for field, value in (("pin", 99), ("module", 1), ("threshold", 0), ("hysteresis", -1), ("rises", "yes"), ("mode", 1)):
    options = {"pin": 4}
    options[field] = value
    refuses(touch, options, field)
print("ok")
