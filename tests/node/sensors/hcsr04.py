"""HC-SR04: echo pulses by the data sheet's figures, warm and cold air, faults, an echo that hangs."""

from _rig import attach, error, near, refuses, time

from esp_node.sensors import hcsr04

device = attach(device="hcsr04", trig=12, echo=13, distance_cm=50)
options = {"trig": 12, "echo": 13}
sensor = hcsr04.create(None, options)
# The data sheet: distance in cm = us / 58 (air of 20 degrees).
near(sensor.get()[0], 500, 1)
time.sleep_ms(60)
device.echo.play, play = lambda wave: play(((450, 1), (450 + 5800, 0))), device.echo.play
near(sensor.get()[0], 1000, 5)
device.echo.play = play

device.set({"distance_cm": 200, "air_c": -10})
near(sensor.get()[0], 1000, 5)  # it wants 60 ms from ping to ping
for temp_c, expected in ((20, 2112), (-10, 2000)):
    time.sleep_ms(60)
    near(hcsr04.create(None, {"trig": 12, "echo": 13, "temp_c": temp_c}).get()[0], expected, 2)
device.set({"distance_cm": 399, "air_c": 20})
time.sleep_ms(60)
start = time.ticks_us()
near(sensor.get()[0], 3990, 2)
near(time.ticks_diff(time.ticks_us(), start), 23700, 200)

for change, kind, text in (
    ({"fault": "absent"}, OSError, "no answer"),
    ({"fault": "garbage"}, ValueError, "cannot be"),
    ({"distance_cm": 401}, OSError, "within range"),
):
    device.set(change)
    time.sleep_ms(60)
    for _ in range(3):
        assert text in error(kind, sensor.get)
        time.sleep_ms(10)
    device.set({"fault": None, "distance_cm": 2})
    time.sleep_ms(60)
    near(sensor.get()[0], 20, 1)

device.set({"distance_cm": 300})
time.sleep_ms(60)
near_only = hcsr04.create(None, {"trig": 12, "echo": 13, "max_cm": 100})
start = time.ticks_us()
assert "within range" in error(OSError, near_only.get)
assert time.ticks_diff(time.ticks_us(), start) < 10000
time.sleep_ms(60)
device.echo.set(1)
assert "does not fall" in error(OSError, sensor.get)
device.echo.set(0)
time.sleep_ms(60)
near(sensor.get()[0], 3000, 2)

refuses(hcsr04, {"trig": 12}, "echo", "must be given")
refuses(hcsr04, {"trig": 12, "echo": 77}, "echo")
refuses(hcsr04, {"trig": 12, "echo": 13, "temp_c": "warm"}, "temp_c")
refuses(hcsr04, {"trig": 12, "echo": 13, "max_cm": 9}, "max_cm")
print("ok")
