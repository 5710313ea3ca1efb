"""HC-SR04: distance by ultrasound, 2 cm to 4 m. Options: {"trig": pin, "echo": pin, "temp_c": 20, "max_cm": 400}.

The speed of sound is 331.3 + 0.606 * temperature (m/s). The data sheet wants 60 ms between two measurements.
"""

import time

NAME = "hcsr04"
FIELDS = ("distance_mm",)
UNITS = ("mm",)
DIGITS = (0,)
_PAUSE_MS = 60
_NEAREST_MM = 15  # 2 cm, less the spread


class Hcsr04:
    def __init__(self, options):
        from esp_node.sensors._options import number, part, take, wired

        options = take(options, {"trig": ..., "echo": ..., "temp_c": 20, "max_cm": 400})
        self._um_per_us = (331.3 + 0.606 * number(options, "temp_c", -40, 85)) / 2
        # The echo begins half a millisecond after the trigger.
        self._limit_us = int(number(options, "max_cm", 10, 500) * 10000 / self._um_per_us) + 1000
        self._trig = wired("Pin", options, "trig")
        self._echo = wired("Pin", options, "echo")
        self._pulse_us = part("time_pulse_us")
        self._asked = None

    def get(self):
        """(distance in mm,); takes as long as the sound, 23 ms for 4 m. OSError: no echo; ValueError: too near."""
        now = time.ticks_ms()
        early = self._asked is not None and 0 <= time.ticks_diff(now, self._asked) < _PAUSE_MS
        if not early:
            self._asked = now
            self._time_us = self._measure()
        if self._time_us == -3:
            raise OSError("echo does not fall: wiring?")
        if self._time_us == -2:
            raise OSError("no answer: wiring?")
        if self._time_us == -1:
            raise OSError("no echo within range")
        distance = self._time_us * self._um_per_us / 1000
        if distance < _NEAREST_MM:
            raise ValueError("an echo from %d mm cannot be" % distance)
        return (distance,)

    def _measure(self):
        trig, echo = self._trig, self._echo
        trig.init(trig.OUT, value=0)
        echo.init(echo.IN)
        if echo.value():
            return -3
        trig.value(1)
        time.sleep_us(10)
        trig.value(0)
        return self._pulse_us(echo, 1, self._limit_us)


def create(node, options):
    return Hcsr04(options)
