"""A push button whose contact bounces, as data sheets of tactile switches have it: some ms at each change.

`pressed` (true, false) is settable, `press()` plays a whole one; fault "garbage": it chatters without an end.
"""

from esp_node.virtual import clock, pins
from esp_node.virtual.device import Device

_BOUNCE_US = (0, 300, 700, 900, 1600, 2100, 4200)  # an odd number of edges: it ends in the other level


class Button(Device):
    """`pin`: number; `active`: level when pressed; open, its wire is left to the node's pull."""

    PHYSICAL = {"pressed": False}

    def __init__(self, settings):
        self.active = settings.get("active", 0)
        self.driver = pins.line(settings["pin"]).driver(None)
        super().__init__(settings)
        self._rest()

    def set(self, settings):
        before, pressed = self.fault, self.values["pressed"]
        super().set(settings)
        if self.fault != before:
            self._rest()
        elif self.values["pressed"] != pressed and self.fault is None:
            self.driver.play(self._bounce(0, not pressed))

    def _rest(self):
        self.driver.stop()
        self.driver.set(self.active if self.values["pressed"] and self.fault is None else None)
        if self.fault == "garbage":
            self.driver.play(self._chatter())

    def press(self, held_us=120000, after_us=0):
        """Pressed `after_us` from now for `held_us`, with bounces at both ends."""
        if self.fault is None:
            down, up = self._bounce(after_us, True), self._bounce(after_us + held_us, False)
            self.driver.play(list(down) + list(up))

    def _bounce(self, start_us, down):
        for time_us in _BOUNCE_US:
            yield start_us + time_us, self.active if down else None
            down = not down

    def _chatter(self):
        start = clock.now_us
        while True:
            yield clock.now_us - start + 1500, self.active
            yield clock.now_us - start + 1500, None


def create(settings):
    return Button(settings)
