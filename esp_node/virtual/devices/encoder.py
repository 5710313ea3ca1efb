"""An incremental encoder with two contacts that close to ground, a quarter step apart (Alps EC11 data sheet: 60 rpm).

`turn()` plays quarter steps. Fault "garbage": both contacts change at once, so that no direction can be told.
"""

from esp_node.virtual import clock, pins
from esp_node.virtual.device import Device

_LEVELS = ((None, None), (0, None), (0, 0), (None, 0))  # a and b, a first when it turns forward


class Encoder(Device):
    """`a`, `b`: pins. `quarter` is where it stands."""

    def __init__(self, settings):
        super().__init__(settings)
        self.quarter = self._left = 0
        self._plan = None
        self.a = pins.line(settings["a"]).driver(None)
        self.b = pins.line(settings["b"]).driver(None)

    def turn(self, quarters, step_us=4000):
        """Turn by `quarters` (negative: back), one each `step_us`."""
        self._left, self._step_us = quarters, step_us
        clock.cancel(self._plan)
        self._go_on()

    def _go_on(self):
        self._plan = clock.at(clock.now_us + self._step_us, self._step) if self._left else None

    def _step(self, _):
        sign = 1 if self._left > 0 else -1
        self._left -= sign
        self._go_on()
        if self.fault == "absent":
            return
        self.quarter += sign * (2 if self.fault else 1)
        a, b = _LEVELS[self.quarter % 4]
        if self.fault:
            self.b.line.level = 1 if b is None else 0  # changed before an interrupt could look
        self.b.set(b)
        self.a.set(a)


def create(settings):
    return Encoder(settings)
