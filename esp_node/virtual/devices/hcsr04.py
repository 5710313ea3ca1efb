"""An HC-SR04: a trigger of at least 10 us sends 8 cycles of 40 kHz; then echo is high as long as the sound
travels there and back. Without an echo it stays high for 38 ms. Fault "garbage": pulses far below its 2 cm."""

from esp_node.virtual import clock, pins
from esp_node.virtual.device import Device

_BURST_US = 450  # from the end of the trigger to the rise of echo


class Hcsr04(Device):
    PHYSICAL = {"distance_cm": 100, "air_c": 20}

    def __init__(self, settings):
        super().__init__(settings)
        self.echo = pins.line(settings["echo"]).driver(0)
        pins.line(settings["trig"]).watchers.append(self._trigger)
        self._rose = 0

    def _trigger(self, level):
        if level:
            self._rose = clock.now_us
        elif clock.now_us - self._rose >= 10 and self.fault != "absent" and not self.echo.level:
            self.echo.play(((_BURST_US, 1), (_BURST_US + self._travel_us(), 0)))

    def _travel_us(self):
        if self.fault == "garbage":
            return 20
        distance = self.value("distance_cm")
        return 38000 if distance > 400 else round(distance * 20000 / (331.3 + 0.606 * self.value("air_c")))


def create(settings):
    return Hcsr04(settings)
