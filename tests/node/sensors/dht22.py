"""DHT22: the frames that its data sheet prints, below zero, the pause, faults, and a wire that hangs low."""

import sys

from _rig import attach, error, near, refuses, time

from esp_node.sensors import dht22

device = attach(device="dht22", pin=14, temp_c=35.1, humidity_pct=65.2)
# AM2302 data sheet, example of the frame: 65.2 % and 35.1 degrees are 0x028C, 0x015F, sum 0xEE.
assert device.frame() == b"\x02\x8c\x01\x5f\xee"
sensor = dht22.create(None, {"pin": 14})
start = time.ticks_us()
assert sensor.get() == (35.1, 65.2)
near(time.ticks_diff(time.ticks_us(), start), 21000, 5000)

# Within 2 s it must not be asked again.
device.set({"temp_c": -10.1, "humidity_pct": 99.9})
time.sleep_ms(1900)
assert sensor.get() == (35.1, 65.2)
time.sleep_ms(100)
assert device.frame()[2:4] == b"\x80\x65"  # the data sheet's example of -10.1 degrees
assert sensor.get() == (-10.1, 99.9)

time.sleep(2)
device.set({"fault": "absent"})
assert "no answer" in error(OSError, sensor.get)
device.set({"fault": None})
assert "no answer" in error(OSError, sensor.get)  # it is too early to know better
time.sleep(2)
assert sensor.get() == (-10.1, 99.9)
time.sleep(2)
device.set({"fault": "garbage"})
assert "checksum" in error(ValueError, sensor.get)
time.sleep(2)
device.set({"fault": None})
assert sensor.get() == (-10.1, 99.9)

for temp, humidity, text in ((81, 50, "81.0"), (20, 101, "101.0"), (0, 0, "bits 0")):
    device.set({"temp_c": temp, "humidity_pct": humidity})
    time.sleep(2)
    assert text in error(ValueError, sensor.get)

# The wire breaks in the middle of a frame, and hangs low.
device.set({"temp_c": 20, "humidity_pct": 50})
device.driver.play, play = lambda wave: play([edge for edge in wave if edge[0] < 2000]), device.driver.play
time.sleep(2)
assert "no answer" in error(OSError, sensor.get)
device.driver.set(0)
time.sleep(2)
assert "no answer" in error(OSError, sensor.get)
device.driver.play = play
device.driver.set(None)
time.sleep(2)
assert sensor.get() == (20.0, 50.0)

refuses(dht22, {}, "pin", "must be given")
refuses(dht22, {"pin": "D4"}, "pin")
refuses(dht22, {"pin": 14, "pull": "up"}, "pull", "unknown")
sys.modules["dht"] = None
refuses(dht22, {"pin": 14}, "dht", "none")
print("ok")
