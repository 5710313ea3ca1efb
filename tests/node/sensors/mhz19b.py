"""MH-Z19B: PWM by interrupt (under heap_lock), warm-up, faults, long silence, ticks that wrap, a lost edge."""
# ruff: noqa: PT017, PT018 (plain asserts: MicroPython has no pytest)

from _rig import attach, error, near, refuses, time

from esp_node.sensors import mhz19b

device = attach(device="mhz19b", pin=5, co2_ppm=400)
sensor = mhz19b.create(None, {"pin": 5})
assert sensor.get() == (None, None)
time.sleep_ms(2500)
assert sensor.get()[0] is None and 0 < sensor.get()[1] < 1004  # it warms up, and says how old
time.sleep(178)
for ppm in (400, 0, 5000, 1234):
    device.set({"co2_ppm": ppm})
    time.sleep_ms(2100)
    start = time.ticks_us()
    value, age = sensor.get()
    assert time.ticks_diff(time.ticks_us(), start) < 100  # it never waits
    near(value, ppm, 5000 / 1000000 * 2)
    assert 0 <= age <= 1004

# Cycles of 1004 ms +-5 % are right, beyond that they are not.
for cycle_ms, right in ((954, True), (1054, True), (950, False), (1058, False)):
    device.set({"cycle_ms": cycle_ms})
    time.sleep_ms(3300)
    if right:
        near(sensor.get()[0], 1234, 1)
    else:
        assert "cannot be" in error(ValueError, sensor.get)
device.set({"cycle_ms": 1004})
time.sleep_ms(3000)

for fault, kind, text in (("absent", OSError, "no PWM"), ("garbage", ValueError, "cycle of 502 ms")):
    device.set({"fault": fault})
    time.sleep_ms(5000)
    for _ in range(2):
        assert text in error(kind, sensor.get)
        time.sleep_ms(1000)
    device.set({"fault": None})
    for _ in range(31):  # asked again and again, it still finds a whole cycle
        time.sleep_ms(100)
        try:
            value = sensor.get()[0]
        except kind:
            value = None
    near(value, 1234, 1)

# Silent over a wrap of the us (18 min), and of the ms (12 days): no old time looks fresh again.
device.set({"fault": "absent"})
for pause_ms in (5000, 2**30 - 3600, 1074000):
    time.sleep_ms(pause_ms)
    assert "no PWM" in error(OSError, sensor.get)
device.set({"fault": None})
time.sleep_ms(100)
error(OSError, sensor.get)
time.sleep_ms(2100)
near(sensor.get()[0], 1234, 1)

# An edge that the node missed spoils one cycle, no more.
wire = device.driver.line
time.sleep_ms(50)
handler, wire.handler = wire.handler, None
time.sleep_ms(1000)
wire.handler = handler
time.sleep_ms(1004)
try:
    near(sensor.get()[0], 1234, 1)
except ValueError as problem:
    assert "cycle" in str(problem)
time.sleep_ms(2100)
near(sensor.get()[0], 1234, 1)

sensor.close()
time.sleep_ms(10000)
error(OSError, sensor.get)
ranged = attach(device="mhz19b", pin=6, co2_ppm=1500, range=2000)
sensor = mhz19b.create(None, {"pin": 6, "range": 2000, "warmup_s": 0})
time.sleep_ms(2100)
near(sensor.get()[0], 1500, 1)

refuses(mhz19b, {}, "pin", "must be given")
refuses(mhz19b, {"pin": 5, "range": 3000}, "range", "2000")
refuses(mhz19b, {"pin": 5, "warmup_s": -1}, "warmup_s")
print("ok")
