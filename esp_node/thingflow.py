"""ThingFlow's names on our scheduler: for those who know that library's MicroPython port. Loaded only by them.

    scheduler = Scheduler()
    scheduler.schedule_sensor(sensor, 2.0, Output(), MQTTWriter("me", "broker", 1883, "bright"))
    scheduler.run_forever()

What differs, on purpose: the first sample comes at the next multiple of the interval, not at once. A sample that fails
is tried again, with the scheduler's pauses: the outputs hear on_error each time, and only on_completed is the end. What
an output raises is logged and reaches neither the other outputs nor the sensor. Cancel and dispose may be called at any
time and again. writers.py has CsvWriter and MQTTWriter.
"""

import time

from esp_node import scheduler as core
from esp_node.clock import mono_ms, unix_ms
from esp_node.logger import log
from schema.errors import Invalid

_EVENTS = ("next", "completed", "error")
served = []  # what has serve(ms) and close(), and is to be served while nothing runs


class OutputThing:
    """Sends events on its ports to what is connected. A subclass defines `_observe()`, which the scheduler calls, and
    calls `_dispatch_next(event, port)`, `_dispatch_completed(port)` and `_dispatch_error(error, port)` there.
    """

    def __init__(self, ports=None):
        self._inputs = {}
        for port in ports or ("default",):
            self._inputs[port] = ()

    def connect(self, input_thing, port_map=None):
        """Send what comes out of a port to `input_thing`: to its on_next(event), on_completed() and on_error(error),
        or, for an input port that is not the default one, on_<port>_next and so on. port_map: (output port, input
        port). A function is an input, too. Returns a function that ends the connection.
        """
        port, into = port_map or ("default", "default")
        self._check(port)
        prefix = "on_" if into == "default" else "on_%s_" % into
        connection = [getattr(input_thing, prefix + event, _ignore) for event in _EVENTS]
        if connection[0] is _ignore:
            if not callable(input_thing):
                raise Invalid("input_thing", "has no method %snext and is no function" % prefix)
            connection[0] = input_thing
        # A new tuple each time: a connection may end while events are on their way.
        self._inputs[port] = (self._inputs[port] or ()) + (connection,)

        def dispose():
            left = self._inputs[port]
            if left:
                self._inputs[port] = tuple([each for each in left if each is not connection])

        return dispose

    def is_open(self):
        """False when all ports are completed."""
        return any([inputs is not None for inputs in self._inputs.values()])

    def dispatch_next(self, event, port=None):
        """Send an event to what is connected to `port`; a completed port sends nothing more."""
        self._send(port, 0, event)

    def dispatch_completed(self, port=None):
        """No more events will come from `port`."""
        self._send(port, 1)
        self._inputs[port or "default"] = None

    def dispatch_error(self, error, port=None):
        """Tell of an error; unlike in ThingFlow, events may follow."""
        self._send(port, 2, error)

    def observe(self):
        raise NotImplementedError("_observe")

    def _send(self, port, kind, *event):
        port = port or "default"
        self._check(port)
        for connection in self._inputs[port] or ():
            try:
                connection[kind](*event)
            except Exception as error:
                log("error", "on_%s failed: %s %s" % (_EVENTS[kind], type(error).__name__, error))

    def _check(self, port):
        if port not in self._inputs:
            raise Invalid("port", "must be one of %s, not %r" % (", ".join(sorted(self._inputs)), port))


# By name, because the build shortens private names, and these are for subclasses in files that it does not see.
for _event in _EVENTS:
    setattr(OutputThing, "_dispatch_" + _event, getattr(OutputThing, "dispatch_" + _event))
setattr(OutputThing, "_observe", lambda thing: thing.observe())  # noqa: B010


class SensorAsOutputThing(OutputThing):
    """Events (sensor_id, seconds since 1970, value) of a sensor with sample(), or of ours with get(). StopIteration
    completes it. The id is sensor.sensor_id, else NAME, else the name of the class.
    """

    def __init__(self, sensor):
        super().__init__()
        self._sample = getattr(sensor, "sample", None) or sensor.get
        self.name = getattr(sensor, "sensor_id", None) or getattr(sensor, "NAME", type(sensor).__name__)

    def observe(self):
        try:
            value = self._sample()
        except StopIteration:
            self.dispatch_completed()
            return
        if isinstance(value, tuple) and len(value) == 1:
            value = value[0]
        self.dispatch_next((self.name, (unix_ms() or mono_ms()) // 1000, value))


class Scheduler:
    """Runs output things; `clock_wrap` is not needed any more. After `disable_after` failures in a row (0: never) a
    thing is completed. `core` is the scheduler underneath, for its other options.
    """

    def __init__(self, clock_wrap=None, disable_after=0):
        self.core = core.Scheduler(self._failed)
        self._disable_after = disable_after

    def schedule_periodic(self, output_thing, seconds, early=0, missed="skip"):
        """Call the thing's _observe() each `seconds` (0.01 to a week). Returns a function that ends it."""
        return self._schedule(output_thing, int(seconds * 1000 + 0.5), early, missed)

    def schedule_sensor(self, sensor, seconds, *input_things):
        """Sample `sensor` each `seconds` for all the outputs. Returns a function that ends it."""
        thing = SensorAsOutputThing(sensor)
        for each in input_things:
            thing.connect(each)
        return self.schedule_periodic(thing, seconds)

    def schedule_recurring(self, output_thing):
        """Call the thing's _observe() again and again, each 10 ms. Returns a function that ends it."""
        return self._schedule(output_thing, 10, 0, "skip")

    def run_forever(self):
        """Run until no thing is left: all completed or cancelled. What was written is then sent, and closed."""
        self.core.run_forever(mono_ms, _wait)
        for each in served:
            each.close()

    def _schedule(self, thing, interval, early, missed):
        def run():
            getattr(thing, "_observe")()  # noqa: B009 (by name, see above)
            if not thing.is_open():
                cancel()

        def cancel():
            self.core.cancel(task)

        name = getattr(thing, "name", type(thing).__name__)
        task = self.core.every(interval, run, name, early, missed, self._disable_after)
        task.thing = thing
        return cancel

    def _failed(self, task, error):
        log("error", "%s failed (%d): %s %s" % (task.name, task.failures, type(error).__name__, error))
        task.thing.dispatch_error(error)
        if task.disabled:
            task.thing.dispatch_completed()
            self.core.cancel(task)


class Output:
    """Prints what it hears."""

    def on_next(self, event):
        print(event)

    def on_completed(self):
        print("Completed")

    def on_error(self, error):
        print("Error: %s" % error)


def _wait(ms):
    for each in served:
        each.serve(ms)
        ms = 0
    if not served:
        time.sleep_ms(ms) if hasattr(time, "sleep_ms") else time.sleep(ms / 1000)


def _ignore(*event):
    pass
