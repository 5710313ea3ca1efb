"""A push button that bounces: each press counts once, by interrupt (under heap_lock); chatter, other levels."""

from _rig import attach, error, refuses, time

from esp_node.sensors import button
from esp_node.virtual import machine

device = attach(device="button", pin=0)
sensor = button.create(None, {"pin": 0})
assert sensor.get() == (False, 0)
for number in range(1, 21):
    device.press(60000)
    time.sleep_ms(40)
    assert sensor.get() == (True, number)
    time.sleep_ms(200)
    assert sensor.get() == (False, number)
device.press(3000000)
time.sleep_ms(2000)
assert sensor.get() == (True, 21)
time.sleep_ms(2000)
assert sensor.get() == (False, 21)

# A tap shorter than the debounce time counts, and does not leave the button pressed.
device.driver.play(((0, 0), (20000, None)))
time.sleep_ms(100)
assert sensor.get() == (False, 22)
# After a week without a touch the ticks have wrapped.
time.sleep(600000)
device.press()
time.sleep_ms(300)
assert sensor.get() == (False, 23)

device.set({"fault": "garbage"})
time.sleep_ms(1000)
assert "chatters" in error(ValueError, sensor.get)
device.set({"fault": None})
time.sleep_ms(100)
pressed, presses = sensor.get()
assert not pressed
device.press()
time.sleep_ms(300)
assert sensor.get() == (False, presses + 1)

# An open contact looks like one at rest: that is all there is to see.
device.set({"fault": "absent"})
device.press()
time.sleep_ms(300)
assert sensor.get() == (False, presses + 1)
sensor.close()
device.set({"fault": None})
device.press(1000000)
time.sleep_ms(100)
assert sensor.get() == (True, presses + 1)  # seen, no longer counted

high = attach(device="button", pin=2, active=1)
sensor = button.create(None, {"pin": 2, "active": 1, "pull": "down", "debounce_ms": 10})
assert sensor.get() == (False, 0)
high.set({"pressed": True})
time.sleep_ms(50)
assert sensor.get() == (True, 1)


class OldPin(machine.Pin):
    """An older ESP32's: no hard interrupts, no such argument."""

    def irq(self, handler=None, trigger=3, *, wake=None):
        return super().irq(handler, trigger)


class PoorPin:
    """An ESP8266's: no pull-down."""

    IN, PULL_UP = 0, 1

    def __init__(self, number):
        pass


machine.Pin = OldPin
device = attach(device="button", pin=7)
sensor = button.create(None, {"pin": 7})
device.press()
time.sleep_ms(300)
assert sensor.get() == (False, 1)
machine.Pin = PoorPin
refuses(button, {"pin": 7, "pull": "down"}, "pull", "no pull-down")
machine.Pin = OldPin

refuses(button, {}, "pin", "must be given")
refuses(button, {"pin": 0, "active": 2}, "active", "0, 1")
refuses(button, {"pin": 0, "pull": "left"}, "pull", "up")
refuses(button, {"pin": 0, "debounce_ms": 0}, "debounce_ms")
print("ok")
