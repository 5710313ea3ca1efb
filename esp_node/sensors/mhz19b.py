"""MH-Z19B: carbon dioxide by its PWM output. Options: {"pin": number, "range": 2000, 5000 or 10000, "warmup_s": 180}.

Winsen data sheet 1.0: a cycle takes 1004 ms +-5 %, ppm = range * (high - 2 ms) / (high + low - 4 ms), warm after 3 min.
An interrupt takes the time of each edge: get() never waits.
"""

import time

NAME = "mhz19b"
FIELDS = ("co2_ppm", "age_ms")
UNITS = ("ppm", "ms")
DIGITS = (0, 0)
_SILENCE_MS = 3500  # three cycles without an end
_SHORTEST_US = 953800
_LONGEST_US = 1054200


class Mhz19b:
    def __init__(self, options):
        from esp_node.sensors._edges import listen
        from esp_node.sensors._options import choice, number, take, wired

        options = take(options, {"pin": ..., "range": 5000, "warmup_s": 180})
        choice(options, "range", (2000, 5000, 10000))
        self._range = options["range"]
        self._warmup_ms = int(number(options, "warmup_s", 0, 3600) * 1000)
        self._pin = wired("Pin", options, "pin")
        self._rose = self._fell = self._high = self._low = self._edges = self._cycles = 0
        self._since = self._at = time.ticks_ms()
        self._pin.init(self._pin.IN)
        listen(self._pin, self._edge)

    def _edge(self, pin):
        # Runs as an interrupt: small whole numbers only, nothing that allocates.
        now = time.ticks_us()
        if pin.value():
            if self._edges == 2:
                self._high = time.ticks_diff(self._fell, self._rose)
                self._low = time.ticks_diff(now, self._fell)
                self._at = time.ticks_ms()
                self._cycles = self._cycles % 1000 + 1
            self._rose = now
            self._edges = 1
        elif self._edges:
            self._fell = now
            self._edges = 2

    def get(self):
        """(CO2 in ppm, ms since that cycle ended); ppm is None while it warms up, both before the first cycle.

        OSError: no signal; ValueError: a cycle that cannot be.
        """
        cycles = -1
        while cycles != self._cycles:  # an interrupt may come in between
            cycles = self._cycles
            high, cycle, at = self._high, self._high + self._low, self._at
        now = time.ticks_ms()
        age = time.ticks_diff(now, at)
        if not 0 <= age <= _SILENCE_MS:
            # Begin anew with the next edge; until a cycle is complete stay silent, however the ticks wrap.
            if cycles:
                self._edges = self._cycles = 0
            self._at = time.ticks_add(now, -1 - _SILENCE_MS)
            raise OSError("no PWM signal: wiring?")
        if not cycles:
            return None, None
        if not _SHORTEST_US <= cycle <= _LONGEST_US or not 0 <= high - 2000 <= cycle - 4000:
            raise ValueError("a cycle of %d ms, high for %d, cannot be" % (cycle // 1000, high // 1000))
        if self._warmup_ms:
            if time.ticks_diff(now, self._since) < self._warmup_ms:
                return None, age
            self._warmup_ms = 0
        return self._range * (high - 2000) / (cycle - 4000), age

    def close(self):
        """Release the pin."""
        self._pin.irq(handler=None)


def create(node, options):
    return Mhz19b(options)
