"""DHT11: the frame that its data sheet prints, whole numbers, the pause, faults."""

from _rig import attach, error, refuses, time

from esp_node.sensors import dht11

device = attach(device="dht11", pin=13, temp_c=24, humidity_pct=53)
# Aosong data sheet, example of the frame: 53 % and 24 degrees are 0x35 0x00 0x18 0x00, sum 0x4D.
assert device.frame() == b"\x35\x00\x18\x00\x4d"
sensor = dht11.create(None, {"pin": 13})
assert sensor.get() == (24, 53)
device.set({"temp_c": 25.4})
time.sleep_ms(900)
assert sensor.get() == (24, 53)
time.sleep_ms(100)
assert sensor.get() == (25, 53)
for fault, kind, text in (("absent", OSError, "no answer"), ("garbage", ValueError, "checksum")):
    device.set({"fault": fault})
    for _ in range(3):
        time.sleep(1)
        assert text in error(kind, sensor.get)
    device.set({"fault": None})
    time.sleep(1)
    assert sensor.get() == (25, 53)
for values in ({"temp_c": 61}, {"temp_c": 20, "humidity_pct": 0}):
    device.set(values)
    time.sleep(1)
    assert "beyond" in error(ValueError, sensor.get)
refuses(dht11, {}, "pin", "must be given")
refuses(dht11, {"pin": 13, "temp_c": 20}, "temp_c", "unknown")
print("ok")
