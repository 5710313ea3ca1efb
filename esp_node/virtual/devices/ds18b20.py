"""DS18B20, a 1-wire device in time slots, Maxim data sheet 19-7487: reset 480 us low, presence 60-240 us later, a bit
is sampled 15-60 us after its slot begins, a 0 is answered by holding the wire low for that time; 12 bits take 750 ms.

Faults: "garbage" (a wrong bit in the scratchpad), "brownout" (the conversion does not happen: 85 degC of power-on).
"""

import binascii

from esp_node.virtual import clock, pins
from esp_node.virtual.device import Device

_CONVERSION_US = 750000
_POWER_ON = b"\x50\x05\x4b\x46\x7f\xff\x0c\x10"


class Ds18b20(Device):
    """`pin`: number; `rom`: 16 hex digits, family 28 first, check byte last (made if only 14 are given)."""

    PHYSICAL = {"temp_c": 21.5}

    def __init__(self, settings):
        super().__init__(settings)
        rom = binascii.unhexlify(settings.get("rom", "28ff4b60b21604"))[:7]
        self.rom = rom + bytes([_crc8(rom)])
        self.line = pins.line(settings["pin"])
        self.driver = self.line.driver(None, pull=1)
        self.line.watchers.append(self._level)
        self.power_on()

    def changed(self):
        if self._fault != self.fault:
            self.power_on()

    def power_on(self):
        """As after a power cut, which is what each change of the fault is."""
        self._fault = self.fault
        self._scratch = bytearray(_POWER_ON)
        self._converts_until = self._fell = 0
        self._deaf_until = -1
        self._idle()
        self.driver.set(None)

    def _idle(self):
        self._bits = None  # a generator: yields what to send (0, 1) or None to receive a bit
        self._sends = None

    def _level(self, level):
        now = clock.now_us
        if self.fault == "absent" or now < self._deaf_until or self.driver.level == 0:
            return
        if not level:
            self._fell = now
            if self._bits is not None:
                self._slot()
        elif now - self._fell >= 480:
            self._bits = self._command()
            self._sends = self._bits.send(None)
            self._fell, self._deaf_until = now, now + 151  # deaf to its own answer
            self.driver.play(((30, 0), (150, None)))

    def _slot(self):
        sends = self._sends
        if sends is None:
            clock.at(self._fell + 30, self._sample)
        else:
            if not sends:
                self.driver.set(0)
                self.driver.play(((30, None),))
            self._advance(None)

    def _sample(self, _):
        if self._bits is not None:
            self._advance(self.line.level)

    def _advance(self, bit):
        try:
            self._sends = self._bits.send(bit)
        except StopIteration:
            self._idle()

    def _command(self):
        command = yield from self._byte()
        if command == 0xF0:
            for at in range(64):
                bit = self.rom[at // 8] >> at % 8 & 1
                yield bit
                yield 1 - bit
                if (yield None) != bit:
                    return
            return
        if command == 0x33:
            yield from self._send(self.rom)
        elif command == 0x55:
            for byte in self.rom:
                if (yield from self._byte()) != byte:
                    return
        elif command != 0xCC:
            return
        yield from self._function()

    def _function(self):
        command = yield from self._byte()
        if command == 0x44:
            self._converts_until = clock.now_us + _CONVERSION_US
            clock.at(self._converts_until, self._convert)
            while True:
                yield int(clock.now_us >= self._converts_until)
        elif command == 0xBE:
            data = bytes(self._scratch)
            check = _crc8(data)
            yield from self._send(data + bytes([check ^ 0x04 if self.fault == "garbage" else check]))
        elif command == 0x4E:
            for at in (2, 3, 4):
                self._scratch[at] = yield from self._byte()

    def _convert(self, _):
        if self.fault not in ("brownout", "absent"):
            raw = round(self.value("temp_c") * 16) & 0xFFFF
            self._scratch[0], self._scratch[1] = raw & 0xFF, raw >> 8

    def _byte(self):
        value = 0
        for bit in range(8):
            value |= (yield None) << bit
        return value

    def _send(self, data):
        for byte in data:
            for bit in range(8):
                yield byte >> bit & 1


def _crc8(data):
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x8C if crc & 1 else crc >> 1
    return crc


def create(settings):
    return Ds18b20(settings)
