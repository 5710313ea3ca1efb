"""Wires and the pins on them: a Line knows who drives it and calls who watches it; Pin is the node's end of it.

A wire is low as soon as anybody pulls it low (1-wire, DHT and I2C live on that); nobody drives it: its pull decides.
"""

from esp_node.virtual import clock

try:
    from micropython import heap_lock, heap_unlock
except ImportError:

    def heap_lock():
        pass

    heap_unlock = heap_lock

_lines = {}


def line(number):
    """The wire at pin `number`, the same object for everybody."""
    if number not in _lines:
        _lines[number] = Line()
    return _lines[number]


def clear():
    """Take every wire off the board."""
    _lines.clear()


class Line:
    """`watch(level)` of each watcher hears every change. When nobody drives, the level is that of `pull`, the resistor
    of a device's module, and without one that of `weak`, the one that the node's pin switched on."""

    def __init__(self):
        self.level = self.weak = self.mode = 0
        self.pull = None
        self.node = None  # what the node's pin drives: 0, 1, or None
        self.drivers = []
        self.watchers = []
        self.handler = self.pin = None
        self.trigger = 0

    def driver(self, level=None, pull=None):
        """A device's end of the wire. `pull`: the device's module has a pull resistor to that level."""
        end = Driver(self, level)
        self.drivers.append(end)
        if pull is not None:
            self.pull = pull
        self.settle()
        return end

    def settle(self):
        level = self._resolved()
        if level == self.level:
            return
        self.level = level
        for watch in self.watchers:
            clock.interrupt(watch, level)
        if self.handler is not None and self.trigger & (Pin.IRQ_RISING if level else Pin.IRQ_FALLING):
            clock.interrupt(_handle, self)

    def _resolved(self):
        high = self.node
        if high == 0:
            return 0
        for driver in self.drivers:
            if driver.level == 0:
                return 0
            high = high or driver.level
        if high is not None:
            return 1
        return self.weak if self.pull is None else self.pull


def _handle(line):
    # An interrupt handler of a board must not allocate: here an allocation raises MemoryError.
    heap_lock()
    try:
        line.handler(line.pin)
    except Exception as error:
        if not clock.real:
            raise
        line.handler = None
        print("uncaught exception in an interrupt handler:", type(error).__name__, error)
    finally:
        heap_unlock()


class Driver:
    """What one device does to a wire: level 0, 1, or None for letting go."""

    def __init__(self, line, level):
        self.line = line
        self.level = level
        self._plan = None

    def set(self, level):
        """Drive `level` from now on, until the next edge of a wave that plays."""
        self.level = level
        self.line.settle()

    def play(self, wave, start_us=None):
        """Follow `wave`, iterable of (us since `start_us`, level); a generator is asked edge by edge. Ends the last."""
        self.stop()
        self._wave = iter(wave)
        self._start = clock.now_us if start_us is None else start_us
        self._next()

    def stop(self):
        """End the wave; the level stays."""
        clock.cancel(self._plan)
        self._plan = None

    def _next(self):
        for time_us, level in self._wave:
            self._plan = clock.at(self._start + time_us, self._edge, level)
            return
        self._plan = None

    def _edge(self, level):
        self._next()
        self.set(level)


class Pin:
    """machine.Pin."""

    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_DOWN = 1
    PULL_UP = 2
    IRQ_RISING = 1
    IRQ_FALLING = 2

    def __init__(self, id, mode=-1, pull=-1, *, value=None, drive=0, hold=None):
        if isinstance(id, Pin):
            id = id.number
        if type(id) is not int or not 0 <= id <= 48:
            raise ValueError("invalid pin")
        self.number = id
        self.line = line(id)
        self.init(mode, pull, value=value)

    def init(self, mode=-1, pull=-1, *, value=None, drive=0, hold=None):
        clock.now()
        wire = self.line
        if mode != -1:
            wire.mode = mode
            latch = wire.node or 0 if value is None else int(bool(value))
            wire.node = None if mode == Pin.IN or (mode == Pin.OPEN_DRAIN and latch) else latch
        elif value is not None:
            self.value(value)
        if pull != -1:
            wire.weak = int(pull == Pin.PULL_UP)
        wire.settle()

    def value(self, x=None):
        clock.now()
        wire = self.line
        if x is None:
            return wire.level
        wire.node = 0 if not x else None if wire.mode == Pin.OPEN_DRAIN else 1
        wire.settle()

    def __call__(self, x=None):
        return self.value(x)

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    def irq(self, handler=None, trigger=IRQ_FALLING | IRQ_RISING, *, wake=None, hard=False):
        """Call handler(pin) at each edge of `trigger`, hard: at once, and without a heap; None ends it."""
        clock.now()
        self.line.handler, self.line.trigger, self.line.pin = handler, trigger, self
        return self
