"""The waveform of the DHT sensors, Aosong data sheets of DHT11 and AM2302: a start signal of the host, low for at least
1 ms (18 ms: DHT11), is answered after 30 us by 80 us low, 80 us high and 40 bits, the high byte first."""

from esp_node.virtual import clock, pins
from esp_node.virtual.device import Device


class Dht(Device):
    """`pin`: number. A subclass says START_US and gives `data()`, 4 bytes. Fault "garbage": a wrong sum."""

    def __init__(self, settings):
        super().__init__(settings)
        self.line = pins.line(settings["pin"])
        self.driver = self.line.driver(None, pull=1)
        self.line.watchers.append(self._level)
        self._fell = None
        self._busy_until = 0

    def _level(self, level):
        now = clock.now_us
        if now < self._busy_until:
            return
        if not level:
            self._fell = now
        elif self._fell is not None and now - self._fell >= self.START_US and self.fault != "absent":
            self._busy_until = now + 6000
            self.driver.play(_wave(self.frame()))

    def frame(self):
        """The five bytes sent."""
        data = bytes(self.data())
        check = sum(data) & 0xFF
        return data + bytes([check ^ 0x10 if self.fault == "garbage" else check])


def _wave(frame):
    time_us = 30
    yield time_us, 0
    time_us += 80
    yield time_us, 1
    time_us += 80
    for byte in frame:
        for bit in range(7, -1, -1):
            yield time_us, 0
            time_us += 50
            yield time_us, 1
            time_us += 70 if byte >> bit & 1 else 27
    yield time_us, 0
    yield time_us + 50, None
