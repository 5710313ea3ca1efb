"""The firmware's `dht`: reads 40 bits of a DHT11 or DHT22 from the pin's waveform (Aosong data sheets: host low 18 ms,
answer 80 us low + 80 us high, each bit 50 us low and then 26-28 us high for 0, 70 us for 1)."""

from esp_node.virtual import clock
from esp_node.virtual.machine import Pin, time_pulse_us

_ETIMEDOUT = 110


def dht_readinto(pin, buffer):
    """Start a measurement and fill `buffer` (5 bytes); OSError(ETIMEDOUT) when the waveform ends early."""
    clock.quiet(_read, pin, buffer)


def _read(pin, buffer):
    pin.init(Pin.OPEN_DRAIN, value=0)
    clock.sleep(18000)
    pin.value(1)
    for wanted in (0, 1, 0):
        if time_pulse_us(pin, 1 - wanted, 150) < 0:
            raise OSError(_ETIMEDOUT)
    for bit in range(40):
        high = time_pulse_us(pin, 1, 100)
        if high < 0:
            raise OSError(_ETIMEDOUT)
        buffer[bit // 8] = (buffer[bit // 8] << 1 | (high > 48)) & 0xFF


class DHTBase:
    def __init__(self, pin):
        self.pin = pin
        self.buf = bytearray(5)

    def measure(self):
        dht_readinto(self.pin, self.buf)
        if sum(self.buf[:4]) & 0xFF != self.buf[4]:
            raise Exception("checksum error")  # the class that the firmware raises


class DHT11(DHTBase):
    def humidity(self):
        return self.buf[0]

    def temperature(self):
        return self.buf[2]


class DHT22(DHTBase):
    def humidity(self):
        return (self.buf[0] << 8 | self.buf[1]) / 10

    def temperature(self):
        size = ((self.buf[2] & 0x7F) << 8 | self.buf[3]) / 10
        return -size if self.buf[2] & 0x80 else size
