"""What the DHT sensors share: the firmware's `dht` reads the pin, at most once in `pause_ms` (data sheets)."""

import time


class Dht:
    """`pause_ms`: data sheet; `temps`, `humidities`: (lowest, highest) that the device can measure."""

    def __init__(self, options, kind, pause_ms, temps, humidities):
        from esp_node.sensors._options import take, wired
        from schema.errors import Invalid

        pin = wired("Pin", take(options, {"pin": ...}), "pin")
        try:
            import dht

            self._device = getattr(dht, kind)(pin)
        except (ImportError, AttributeError):
            raise Invalid("dht", "this firmware has none")
        self._pause = pause_ms
        self._ranges = temps, humidities
        self._asked = self._values = self._problem = None

    def get(self):
        """(temperature in °C, relative humidity in %); takes 25 ms. OSError: no answer; ValueError: checksum, range."""
        now = time.ticks_ms()
        if self._asked is None or not 0 <= time.ticks_diff(now, self._asked) < self._pause:
            self._asked = now
            self._values = self._problem = None
            try:
                self._measure()
            except (OSError, ValueError) as problem:
                self._problem = problem
        if self._problem is not None:
            raise self._problem
        return self._values

    def _measure(self):
        try:
            self._device.measure()
        except OSError:
            raise OSError("no answer from the DHT: wiring, pull-up?")
        except Exception as problem:  # the firmware's checksum error has no class of its own
            raise ValueError(str(problem))
        values = self._device.temperature(), self._device.humidity()
        for value, (low, high) in zip(values, self._ranges):
            if not low <= value <= high:
                raise ValueError("%s is beyond what a DHT can measure" % value)
        if values == (0, 0):
            raise ValueError("all bits 0")  # a wire that hangs low passes the checksum
        self._values = values
