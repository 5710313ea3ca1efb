"""A board in real time, MicroPython: argv[1] says what it does; it reports line by line."""

import sys
import time

import machine


def report(*words):
    print(*words)


report("cause", machine.reset_cause(), bytes(machine.RTC().memory()))
machine.RTC().memory(b"kept")
what = sys.argv[1]
if what == "deepsleep":
    machine.deepsleep(300)
elif what == "reset":
    machine.reset()
elif what == "hang":
    dog = machine.WDT(timeout=400)
    start = time.ticks_ms()
    while time.ticks_diff(time.ticks_ms(), start) < 1000:
        dog.feed()
    report("fed")
    while True:
        pass
elif what == "measure":
    from esp_node.sensors import dht22, ds18b20, hcsr04, mhz19b

    sensors = {
        "dht22": dht22.create(None, {"pin": 14}),
        "hcsr04": hcsr04.create(None, {"trig": 12, "echo": 13}),
        "mhz19b": mhz19b.create(None, {"pin": 5, "warmup_s": 0}),
        "ds18b20": ds18b20.create(None, {"pin": 3}),
    }
    told = {}
    while True:
        for name in sensors:
            try:
                value = sensors[name].get()[0]
                value = None if value is None else round(value)
            except (OSError, ValueError) as error:
                value = type(error).__name__
            if told.get(name) != value:
                told[name] = value
                report(name, value)
        time.sleep_ms(20)
