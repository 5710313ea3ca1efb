"""What the rig asks of its bus (esp_node/mining/rig.py), on an I2C adapter of Linux."""

import errno
from collections.abc import Sequence

from smbus2 import I2cFunc, SMBus, i2c_msg

from sentry.mining.i2c_door import Door

# Nobody acknowledged (which number it is, is the driver's choice), or a driver of the kernel has that chip.
NOBODY = (errno.ENXIO, errno.EREMOTEIO, errno.EIO, errno.EBUSY)
# Chips are there that take a write without a byte for the beginning of a write; i2cdetect reads a byte there.
FRAGILE = (*range(0x30, 0x38), *range(0x50, 0x60))


class Bus:
    """``place`` as in RigSettings; ``addresses``: where to look for slaves. Opened by open(); every method may raise
    OSError."""

    def __init__(self, place: str, addresses: Sequence[int]) -> None:
        self._place, self._addresses = place, addresses
        self._wires: SMBus | Door | None = None

    @property
    def is_open(self) -> bool:
        return self._wires is not None

    def open(self) -> None:
        """Open it, or once more: an adapter that was unplugged is found again."""
        self.close()
        if self._place.startswith("tcp://"):
            host, _, port = self._place.removeprefix("tcp://").rpartition(":")
            self._wires = Door(host, int(port))
            return
        wires = SMBus()
        try:
            wires.open(int(self._place) if self._place.isdecimal() else self._place)
        except OSError:
            wires.close()  # open, but no bus
            raise
        self._wires = wires

    def close(self) -> None:
        if self._wires is not None:
            self._wires.close()
            self._wires = None

    def scan(self) -> list[int]:
        return [address for address in self._addresses if self._answers(address)]

    def write(self, address: int, data: bytes) -> None:
        self._opened().i2c_rdwr(i2c_msg.write(address, data))

    def read(self, address: int, size: int) -> bytes:
        message = i2c_msg.read(address, size)
        self._opened().i2c_rdwr(message)
        return bytes(message)

    def free(self) -> None:
        """Clocks are the driver's affair: a program has no way to the lines."""
        self.open()

    def _answers(self, address: int) -> bool:
        wires = self._opened()
        try:
            if wires.funcs & I2cFunc.SMBUS_QUICK and address not in FRAGILE:
                wires.write_quick(address)
            else:
                wires.read_byte(address)
        except OSError as error:
            if error.errno not in NOBODY:
                raise
            return False
        return True

    def _opened(self) -> "SMBus | Door":
        if self._wires is None:
            raise OSError(errno.ENODEV, "the bus is not open")
        return self._wires
