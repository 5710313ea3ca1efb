"""Runs on CPython and MicroPython: ThingFlow's names do what they should, where ThingFlow's own code did not, too."""
# ruff: noqa: PT017, PT018 (plain asserts: MicroPython has no pytest)

import os
import sys
import time

from esp_node import thingflow
from esp_node.thingflow import Output, OutputThing, Scheduler, SensorAsOutputThing


class Sensor:
    """Samples 1, 2, 3 ...; fails at the numbers in `fails`, ends after `last`."""

    sensor_id = "s1"

    def __init__(self, last, fails=()):
        self.last, self.fails, self.number = last, fails, 0

    def sample(self):
        self.number += 1
        if self.number in self.fails:
            raise OSError("no answer %d" % self.number)  # noqa: UP031
        if self.number > self.last:
            raise StopIteration
        return self.number


class Heard:
    def __init__(self):
        self.events = []

    def on_next(self, event):
        self.events.append(event[2] if isinstance(event, tuple) else event)

    def on_completed(self):
        self.events.append("end")

    def on_error(self, error):
        self.events.append("error")


class Broken(Heard):
    def on_next(self, event):
        super().on_next(event)
        raise ValueError("broken output")


# One fault is not the end of a sensor, an output that raises is nobody else's problem, run_forever ends with the last.
before, broken, after = Heard(), Broken(), Heard()
scheduler = Scheduler()
scheduler.schedule_sensor(Sensor(4, fails=(2,)), 0.01, before, broken, after)
cancel = scheduler.schedule_sensor(Sensor(1), 0.01, Output())
start = time.time()
scheduler.run_forever()
assert before.events == [1, "error", 3, 4, "end"] == after.events == broken.events, before.events
assert time.time() - start < 5
cancel()
cancel()  # after its completion, and again: no error


# A sensor of ours: its get() gives a tuple; a time that a person can read.
class Ours:
    NAME = "ours"

    def get(self):
        return (21.5,)


class Two(Ours):
    def get(self):
        return (1, 2)


events = []
for sensor in (Ours(), Two()):
    thing = SensorAsOutputThing(sensor)
    thing.connect(events.append)
    thing._observe()
assert [(event[0], event[2]) for event in events] == [("ours", 21.5), ("ours", (1, 2))]
assert abs(events[0][1] - time.time()) < 10 or time.gmtime(0)[0] != 1970

# Given up after three failures in a row; cancelled by an output in the midst of it.
heard = Heard()
scheduler = Scheduler(clock_wrap=1048576, disable_after=1)
scheduler.schedule_sensor(Sensor(9, fails=(3,)), 0.01, heard)
counted = []


def stop(event):
    counted.append(event)
    if len(counted) == 3:
        cancel()


cancel = scheduler.schedule_sensor(Sensor(99), 0.01, stop)
scheduler.run_forever()
assert heard.events == [1, 2, "error", "end"] and len(counted) == 3, (heard.events, counted)


# Things of one's own, recurring, with named ports at both ends; connections end at any time, and twice.
class Split(OutputThing):
    def __init__(self):
        super().__init__(ports=["even", "odd"])
        self.number = 0

    def _observe(self):
        self.number += 1
        self._dispatch_next(self.number, "odd" if self.number % 2 else "even")
        if self.number == 6:
            self._dispatch_completed("odd")
            self._dispatch_next(7, "odd")  # says nothing: completed
            self._dispatch_completed("even")


class Sides:
    def __init__(self):
        self.left, self.done = [], []

    def on_left_next(self, event):
        self.left.append(event)
        if event == 4:
            dispose()
            dispose()

    def on_left_completed(self):
        self.done.append("left")


split, sides, odd = Split(), Sides(), Heard()
dispose = split.connect(sides, ("even", "left"))
split.connect(odd, ("odd", "default"))
last = split.connect(odd, port_map=("even", "default"))
scheduler = Scheduler()
scheduler.schedule_recurring(split)
scheduler.run_forever()
assert sides.left == [2, 4] and sides.done == [], (sides.left, sides.done)
assert odd.events == [1, 2, 3, 4, 5, 6, "end", "end"], odd.events
last()

for wrong in (lambda: split.connect(odd), lambda: split.connect(3, ("odd", "default")), lambda: split._dispatch_next(1),
              lambda: scheduler.schedule_periodic(split, 0)):  # fmt: skip
    try:
        wrong()
    except ValueError as error:
        assert str(error).partition(":")[0] in ("port", "input_thing", "interval"), error
    else:
        raise AssertionError("accepted")


# A link is served while nothing runs, and closed at the end.
class Served:
    waited, closed = 0, 0

    def serve(self, ms):
        self.waited += ms
        time.sleep(ms / 1000)

    def close(self):
        self.closed += 1


served, second = Served(), Served()
thingflow.served.extend((served, second))
scheduler = Scheduler()
scheduler.schedule_sensor(Sensor(5), 0.02, Output())
scheduler.run_forever()
assert served.closed == second.closed == 1 and second.waited == 0 and 60 <= served.waited <= 200, served.waited

# A file: some lines at a time, quoted where needed, a heading only where it is new.
if sys.implementation.name == "cpython":
    sys.path.append(".")
from esp_node.writers import CsvWriter  # noqa: E402

path = "/tmp/thingflow-%d.csv" % (time.time_ns() % 1000000000)  # noqa: UP031
writer = CsvWriter(path, buffered=2)
writer.on_next(("a", 10, 1.5))
try:
    os.stat(path)
    raise AssertionError("written at once")
except OSError:
    pass
writer.on_next(("b", 11, 'say "x, y"'))
writer.on_next(("c", 12, (1, None, True)))
writer.on_completed()
CsvWriter(path, 1).on_next(("d", 13, "line\nbreak"))
with open(path) as file:
    text = file.read()
os.remove(path)
assert text == ('timestamp,sensor_id,value\n10,a,1.5\n11,b,"say ""x, y"""\n12,c,1,,True\n13,d,"line\nbreak"\n'), text
print("ok")
