"""machine.I2C and SoftI2C on virtual wires, with register-level chips on them.

A bus is known by its pins (scl, sda); `attach(device, scl, sda, address)` puts a chip on it. The errors are those of
MicroPython's extmod/machine_i2c.c: no acknowledge of the address is OSError(ENODEV), a clock held longer than the
time-out OSError(ETIMEDOUT), and a data byte that is not acknowledged no error at all: writeto() returns the number of
acknowledged bytes, and readfrom_mem() then gives bytes that mean nothing.
"""

from esp_node.virtual import clock
from esp_node.virtual.device import Device

_ENODEV = 19
_ETIMEDOUT = 110
_buses = {}
_beyond = {}  # wires -> who else is on them


def attach(device, scl, sda, address):
    """Put `device` (see Registers) on the bus of these pins (numbers); returns it."""
    _wires(scl, sda)[address] = device
    return device


def reach(bus, scl, sda):
    """What is not attached is looked for on `bus`, which simulates wires of its own (devices/rig.py); None: no more."""
    _beyond[scl, sda] = bus


def detach_all():
    """Empty all buses."""
    _beyond.clear()
    for wires in _buses.values():
        wires.clear()


def _wires(scl, sda):
    return _buses.setdefault((scl, sda), {})


def _number(pin):
    return pin if isinstance(pin, int) else pin.number


class SoftI2C:
    """`scl`, `sda`: a Pin or its number; `freq` in Hz; `timeout` (us) for a chip that holds the clock."""

    def __init__(self, scl, sda, *, freq=400000, timeout=50000):
        wires = _number(scl), _number(sda)
        self._devices = _wires(*wires)
        self._beyond = _beyond.get(wires)
        self._byte_us = 9000000 // freq + 1
        self._timeout = timeout

    def scan(self):
        found = []
        for address in self._devices if self._beyond else range(0x08, 0x78):
            try:
                self._select(address, 0)
                found.append(address)
            except OSError:
                pass
        return sorted(found + self._beyond.scan()) if self._beyond else found

    def writeto(self, addr, buf, stop=True):
        return self._select(addr, len(buf)).receive(buf)

    def readfrom(self, addr, nbytes, stop=True):
        return self._select(addr, nbytes).send(nbytes)

    def readfrom_into(self, addr, buf, stop=True):
        buf[:] = self.readfrom(addr, len(buf), stop)

    def readfrom_mem(self, addr, memaddr, nbytes, *, addrsize=8):
        buf = bytearray(b"\xa5" * nbytes)  # what the heap happened to hold
        self.readfrom_mem_into(addr, memaddr, buf, addrsize=addrsize)
        return bytes(buf)

    def readfrom_mem_into(self, addr, memaddr, buf, *, addrsize=8):
        if self.writeto(addr, bytes([memaddr]), False):
            self.readfrom_into(addr, buf)

    def writeto_mem(self, addr, memaddr, buf, *, addrsize=8):
        self.writeto(addr, bytes([memaddr]) + bytes(buf))

    def _select(self, address, count):
        device = self._devices.get(address)
        if device is None and self._beyond:
            return self._beyond.at(address)  # which takes its own time
        clock.sleep(self._byte_us)
        if device is None or device.fault == "absent":
            raise OSError(_ENODEV)
        held = device.stretch_us if device.fault == "stretch" else 0
        clock.sleep(min(held, self._timeout) + count * self._byte_us)
        if held > self._timeout:
            raise OSError(_ETIMEDOUT)
        return device


class I2C(SoftI2C):
    """The hardware's bus: the same with a number, and pins of its own where none are given."""

    def __init__(self, id=0, *, scl=None, sda=None, freq=400000, timeout=50000):
        super().__init__(5 if scl is None else scl, 4 if sda is None else sda, freq=freq, timeout=timeout)


class Registers(Device):
    """A chip of byte registers behind a pointer that counts on by itself.

    A subclass gives `reset()` (fills self.registers as at power-on) and `measure()` (called at each start of a read:
    computes the data registers). Faults: "absent" (no acknowledge; it comes back as after power-on), "garbage" (all
    bits one), "nak" (the address is acknowledged, of the bytes written to it only the first `acks`), "stretch" (holds
    the clock `stretch_us`).
    """

    def __init__(self, settings):
        super().__init__(settings)
        self.acks = 0
        self.stretch_us = 1000000
        self.power_on()

    def set(self, settings):
        before = self.fault
        super().set(settings)
        if before == "absent" != self.fault:
            self.power_on()

    def power_on(self):
        self.registers = bytearray(256)
        self.pointer = 0
        self.reset()

    def receive(self, data):
        """Bytes written to the chip; returns how many it acknowledged."""
        if self.fault == "nak":
            data = data[: self.acks]
        if data:
            self.point(data[0])
            for byte in data[1:]:
                self.write(self.pointer, byte)
                self.pointer = (self.pointer + 1) & 0xFF
        return len(data)

    def send(self, count):
        """`count` bytes read from the chip."""
        if self.fault == "garbage":
            return b"\xff" * count
        self.measure()
        start = self.pointer
        self.pointer = (start + count) & 0xFF
        return bytes(self.registers[start : start + count])

    def point(self, byte):
        self.pointer = byte

    def write(self, register, byte):
        self.registers[register] = byte

    def reset(self):
        pass

    def measure(self):
        pass


def word(registers, at, value):
    """Store `value`, rounded and clipped as a converter does, as two bytes, high one first."""
    value = max(-32768, min(32767, round(value)))
    registers[at] = value >> 8 & 0xFF
    registers[at + 1] = value & 0xFF
