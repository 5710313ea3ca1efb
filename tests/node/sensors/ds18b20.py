"""DS18B20 in time slots: the data sheet's temperatures, several on one bus, CRC, brown-out, a wire that hangs."""
# ruff: noqa: PT018, SIM105 (MicroPython has neither pytest nor contextlib)

import sys

from _rig import attach, error, refuses, time

from esp_node.sensors import ds18b20

device = attach(device="ds18b20", pin=3, temp_c=25.0625)
sensor = ds18b20.create(None, {"pin": 3})
assert sensor.get() == (None, None)
time.sleep_ms(300)
assert sensor.get() == (None, None)  # still converting
time.sleep_ms(500)
# Data sheet, table 1
for temp in (125, 25.0625, 10.125, 0.5, 0, -0.5, -10.125, -25.0625, -55):
    device.set({"temp_c": temp})
    sensor.get()
    time.sleep_ms(800)
    sensor.get()
    time.sleep_ms(800)
    start = time.ticks_us()
    value, age = sensor.get()
    assert value == temp and 800 <= age <= 900, (temp, value, age)
    assert time.ticks_diff(time.ticks_us(), start) < 10000
time.sleep_ms(500)
assert sensor.get()[0] == -55 and 1300 < sensor.get()[1] < 1500

device.set({"temp_c": 20})
for fault, kind, text in (
    ("absent", OSError, "no answer"),
    ("garbage", ValueError, "CRC"),
    ("brownout", ValueError, "85 degrees"),
):
    device.set({"fault": fault})
    time.sleep(1)
    for _ in range(3):
        assert text in error(kind, sensor.get), fault
        time.sleep_ms(400)
    device.set({"fault": None})
    time.sleep(1)
    try:
        sensor.get()
    except ValueError:
        assert fault != "absent"  # the conversion that the power cut lost
    time.sleep(1)
    sensor.get()
    time.sleep(1)
    assert sensor.get()[0] == 20, fault

device.driver.set(0)  # a short
time.sleep(1)
error(ValueError, sensor.get)
device.driver.set(None)
time.sleep(1)
for _ in range(2):
    try:
        sensor.get()
    except (OSError, ValueError):
        pass
    time.sleep(1)
assert sensor.get()[0] == 20

other = attach(device="ds18b20", pin=3, rom="28ff4b60b21605", temp_c=-5)
text = error(OSError, ds18b20.create(None, {"pin": 3}).get)
assert "28ff4b60b2160495" in text and "28ff4b60b21605cb" in text
both = [ds18b20.create(None, {"pin": 3, "rom": rom}) for rom in ("28ff4b60b2160495", "28ff4b60b21605cb")]
assert [one.get()[0] for one in both] == [None, None]
time.sleep(1)
assert [one.get()[0] for one in both] == [20, -5]
other.set({"fault": "absent"})
time.sleep(1)
assert both[0].get()[0] == 20
assert "no answer of this rom" in error(OSError, both[1].get)
other.set({"fault": None})
for _ in range(2):
    time.sleep(1)
    assert both[0].get()[0] == 20
    try:
        both[1].get()
    except ValueError:
        pass
time.sleep(1)
assert both[1].get()[0] == -5

refuses(ds18b20, {}, "pin", "must be given")
for rom in ("28ff", "zz" * 8, 5, "28ff4b60b2160496", "10ff4b60b2160495"):
    refuses(ds18b20, {"pin": 3, "rom": rom}, "rom", "16 hex digits")
sys.modules["onewire"] = None
refuses(ds18b20, {"pin": 3}, "onewire", "none")
print("ok")
