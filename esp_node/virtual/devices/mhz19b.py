"""The PWM output of an MH-Z19B, Winsen data sheet 1.0: a cycle of 1004 ms +-5 %, high for 2 ms + 1000 ms * ppm / range.

Fault "garbage": cycles of half that length.
"""

from esp_node.virtual import clock, pins
from esp_node.virtual.device import Device


class Mhz19b(Device):
    PHYSICAL = {"co2_ppm": 800, "cycle_ms": 1004}

    def __init__(self, settings):
        super().__init__(settings)
        self.range = settings.get("range", 5000)
        self.driver = pins.line(settings["pin"]).driver(0)
        self._plays = ""
        self.changed()

    def changed(self):
        if self._plays == self.fault:
            return
        self._plays = self.fault
        self.driver.stop()
        self.driver.set(0)
        if self.fault != "absent":
            self.driver.play(self._wave())

    def _wave(self):
        start = clock.now_us
        while True:
            cycle = round(self.value("cycle_ms") * 1000)
            high = round(2000 + (cycle - 4000) * max(0, min(1, self.value("co2_ppm") / self.range)))
            if self.fault == "garbage":
                cycle //= 2
                high //= 2
            begun = clock.now_us - start
            yield begun, 1
            yield begun + high, 0
            yield begun + cycle, 0


def create(settings):
    return Mhz19b(settings)
