"""Runs on CPython and MicroPython: the virtual board keeps time, fires edges, forbids what firmware forbids."""
# ruff: noqa: B018, E402, PT017, PT018, SIM105 (MicroPython has neither pytest nor contextlib)

import sys

from esp_node.virtual import board, clock, pins, state

board.install()
import time

import machine
import network

from schema.errors import Invalid

# Sleeping takes exactly its time; each question costs a microsecond, so a loop that polls comes to an end.
start = time.ticks_us()
time.sleep_ms(1500)
assert time.ticks_diff(time.ticks_us(), start) == 1500001
start = time.ticks_ms()
while time.ticks_diff(time.ticks_ms(), start) < 2:
    pass
assert time.time() == 1767225601 and time.gmtime(time.time())[:3] == (2026, 1, 1)
# The ticks wrap at 30 bits.
clock.start(at_us=0x3FFFFFFF - 5)
before = time.ticks_us()
time.sleep_us(10)
assert time.ticks_us() < before and time.ticks_diff(time.ticks_us(), before) == 12
assert time.ticks_add(before, 20) == (before + 20) & 0x3FFFFFFF
# A week in no time.
time.sleep(7 * 86400)
assert time.time() == 1767225600 + 7 * 86400


class Recorder:
    """Keeps what an interrupt handler saw, without allocating."""

    def __init__(self, pin, trigger, **more):
        self.times = [0] * 8
        self.count = 0
        pin.irq(self.edge, trigger, **more)

    def edge(self, pin):
        if self.count < 8:
            self.times[self.count] = time.ticks_us()
        self.count += 1

    def since(self, start):
        return [time.ticks_diff(at, start) for at in self.times[: self.count]]


# Edges fire on the way at their own times; a generator goes on for ever, and is asked for one edge at a time.
pin = machine.Pin(4, machine.Pin.IN)
end = pins.line(4).driver(0)
both = Recorder(pin, pin.IRQ_RISING | pin.IRQ_FALLING, hard=True)
start = time.ticks_us()
end.play(((100, 1), (350, 0), (90000, 1)))
time.sleep_us(200)
assert pin.value() == 1 and both.since(start) == [100]
time.sleep(1)
assert both.since(start) == [100, 350, 90000]
rising = Recorder(pin, pin.IRQ_RISING)


def pwm():
    time_us = 0
    while True:
        yield time_us, 1
        yield time_us + 250, 0
        time_us += 1000


start = time.ticks_us()
end.play(pwm())
time.sleep_us(3500)
assert rising.since(start) == [1000, 2000, 3000]  # it was high already when it began
assert machine.time_pulse_us(pin, 1) == 250 and 740 <= machine.time_pulse_us(pin, 0) <= 750
end.stop()
end.set(0)
start = time.ticks_us()
assert machine.time_pulse_us(pin, 1, 5000) == -2 and time.ticks_diff(time.ticks_us(), start) < 5010
assert machine.time_pulse_us(pin, 0, 5000) == -1
pin.irq(None)

# An allocation in a handler fails; without a heap to lock (CPython) there is nothing to see.
if sys.implementation.name == "micropython":
    pin.irq(lambda pin: [pin])
    end.play(((10, 1),))
    try:
        time.sleep_ms(1)
    except MemoryError:
        pass
    else:
        raise AssertionError("a handler allocated")
    pin.irq(None)

# Who pulls low wins; nobody drives: the module's resistor, else the pin's.
wire = pins.line(9)
heard = []
wire.watchers.append(heard.append)
out = machine.Pin(9, machine.Pin.OPEN_DRAIN, machine.Pin.PULL_UP, value=1)
assert out() == 1
other = wire.driver(0)
assert out.value() == 0
other.set(None)
out.off()
out(1)
assert out.value() == 1 and heard == [1, 0, 1, 0, 1]
out.init(machine.Pin.IN, machine.Pin.PULL_DOWN)
assert out.value() == 0
wire.driver(None, pull=1)
assert out.value() == 1
for wrong in (-1, 49, "4"):
    try:
        machine.Pin(wrong)
    except ValueError:
        pass
    else:
        raise AssertionError(wrong)

# Descriptions: a wrong one names what is wrong.
for wrong, field in (
    ({"devices": [{"device": "dht22", "pin": 1}, {"device": "abacus"}]}, "devices[1].device"),
    ({"devices": [{"device": "dht22"}]}, "devices[0].pin"),
):
    try:
        board.attach(wrong)
    except Invalid as error:
        assert error.field == field, error.field
    else:
        raise AssertionError(field)

# The end, and a new beginning.
assert machine.reset_cause() == machine.PWRON_RESET
rtc = machine.RTC()
rtc.memory(b"state")
start = time.time()
try:
    machine.deepsleep(60000)
except machine.Reset:
    pass
assert time.time() == start + 60 and machine.reset_cause() == machine.DEEPSLEEP_RESET and rtc.memory() == b"state"
rtc.datetime((2028, 2, 29, 1, 12, 30, 15, 0))
assert rtc.datetime()[:7] == (2028, 2, 29, 1, 12, 30, 15) and time.gmtime(time.time())[:3] == (2028, 2, 29)
dog = machine.WDT(timeout=2000)
for _ in range(5):
    time.sleep_ms(1900)
    dog.feed()
try:
    time.sleep_ms(2001)
except machine.Reset:
    assert machine.reset_cause() == machine.WDT_RESET
else:
    raise AssertionError("the watchdog sleeps")
try:
    machine.Encoder
except AttributeError:
    pass
else:
    raise AssertionError("an Encoder that the board does not have")
state.power_on()
assert machine.reset_cause() == machine.PWRON_RESET and rtc.memory() == b""

# Wi-Fi: as an ESP32's tells of a wrong password, a network that is absent, and one that goes away.
board.networks.extend([{"ssid": "barn", "password": "secret", "rssi": -70}, {"ssid": "house", "rssi": -50}])
station = network.WLAN(network.STA_IF)
assert station is network.WLAN(network.STA_IF) and not station.active()


def fails(call, *arguments):
    try:
        call(*arguments)
    except OSError as error:
        return str(error)
    raise AssertionError(call)


assert fails(station.connect, "barn", "secret") == "Wifi Not Started"
station.active(True)
assert [(net[0], net[3], net[4]) for net in station.scan()] == [(b"house", -50, 0), (b"barn", -70, 3)]
assert station.status() == network.STAT_IDLE and not station.isconnected()
for ssid, password, outcome in (
    ("barn", "wrong", network.STAT_WRONG_PASSWORD),
    ("field", "secret", network.STAT_NO_AP_FOUND),
    ("barn", "secret", network.STAT_GOT_IP),
    ("house", None, network.STAT_GOT_IP),
):
    station.connect(ssid, password)
    assert station.status() == network.STAT_CONNECTING
    assert fails(station.connect, ssid, password)  # an ESP32 wants to be told to disconnect first
    time.sleep(2)
    assert station.status() == outcome, ssid
    assert station.isconnected() == (station.ifconfig()[0] != "0.0.0.0") == (outcome == network.STAT_GOT_IP)
    if outcome != network.STAT_GOT_IP:
        assert fails(station.status, "rssi") == "Wifi Not Connected"
        station.disconnect()
assert station.status("rssi") == -50 and station.config("ssid") == "house" and len(station.config("mac")) == 6
lost = board.networks.pop()
assert not station.isconnected() and station.status() == network.STAT_BEACON_TIMEOUT
time.sleep(2)
assert station.status() == network.STAT_NO_AP_FOUND
board.networks.append(lost)
time.sleep(2)
assert station.isconnected()  # by itself
station.active(False)
assert not station.isconnected()
print("ok")
