"""The firmware's `onewire`: the bus master in time slots on a virtual pin (timing: Maxim application note 126)."""

from esp_node.virtual import clock
from esp_node.virtual.machine import Pin


class OneWireError(Exception):
    pass


class OneWire:
    SEARCH_ROM = 0xF0
    MATCH_ROM = 0x55
    SKIP_ROM = 0xCC

    def __init__(self, pin):
        self.pin = pin
        self.pin.init(Pin.OPEN_DRAIN, Pin.PULL_UP, value=1)

    def reset(self, required=False):
        """A reset pulse; True when a device answers."""
        present = clock.quiet(self._slot, 480, 70, 410)
        if required and present:
            raise OneWireError
        return not present

    def readbit(self):
        return clock.quiet(self._slot, 5, 9, 51)

    def writebit(self, value):
        if value:
            clock.quiet(self._slot, 6, 0, 64)
        else:
            clock.quiet(self._slot, 60, 0, 10)

    def _slot(self, low_us, wait_us, rest_us):
        # Low, let go, look, rest. Returns the level looked at.
        self.pin.value(0)
        clock.sleep(low_us)
        self.pin.value(1)
        clock.sleep(wait_us)
        level = self.pin.value()
        clock.sleep(rest_us)
        return level

    def readbyte(self):
        return sum([self.readbit() << bit for bit in range(8)])

    def readinto(self, buf):
        for at in range(len(buf)):
            buf[at] = self.readbyte()

    def writebyte(self, value):
        for bit in range(8):
            self.writebit(value >> bit & 1)

    def write(self, buf):
        for byte in buf:
            self.writebyte(byte)

    def select_rom(self, rom):
        self.reset()
        self.writebyte(self.MATCH_ROM)
        self.write(rom)

    def scan(self):
        """The ROM codes (bytearray of 8) of all devices."""
        found, rom, fork = [], None, 0
        while fork is not None:
            rom, fork = self._search(rom, fork)
            if rom is None:
                break
            found.append(rom)
        return found

    def _search(self, before, fork):
        # Application note 187: where both values occur, go as last time up to the last fork, and there the other way.
        if not self.reset():
            return None, None
        self.writebyte(self.SEARCH_ROM)
        rom, open_fork = bytearray(8), None
        for at in range(64):
            bit, other = self.readbit(), self.readbit()
            if bit and other:
                return None, None
            if not bit and not other:
                known = before[at // 8] >> at % 8 & 1 if before else 0
                bit = 1 if before and at == fork else known if before and at < fork else 0
                if not bit:
                    open_fork = at
            self.writebit(bit)
            rom[at // 8] |= bit << at % 8
        return rom, open_fork

    def crc8(self, data):
        """CRC of Maxim application note 27: 0 over data and its own check byte."""
        crc = 0
        for byte in data:
            for bit in range(8):
                odd = (crc ^ byte >> bit) & 1
                crc >>= 1
                if odd:
                    crc ^= 0x8C
        return crc
