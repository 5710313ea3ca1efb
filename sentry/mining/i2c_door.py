"""The bus of simulated slaves (avr/sim/server.py), with the shape of smbus2's SMBus.

It exists so that the master's code is the same with and without hardware: going over to real slaves changes the one
setting that names the bus. It fails as an adapter of Linux does, with the same error numbers, and frees a bus that is
held low with nine clocks, as a driver with bus recovery does.
"""

import errno
import json
import os
import socket
from typing import Any

from smbus2 import I2cFunc, i2c_msg
from smbus2.smbus2 import I2C_M_RD

ANSWER_S = 5.0
# Error of the simulated bus -> what Linux calls it: Documentation/i2c/fault-codes.rst; a missing acknowledge as the
# Raspberry Pi's driver has it.
ERRORS = {
    "nack": errno.EREMOTEIO,
    "arbitration": errno.EAGAIN,
    "stuck": errno.ETIMEDOUT,
    "busy": errno.ETIMEDOUT,
}


class Door:
    """Raises OSError when nobody listens there."""

    funcs = I2cFunc.I2C | I2cFunc.SMBUS_EMUL

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port), ANSWER_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lines = self._socket.makefile("rwb")

    def close(self) -> None:
        self._lines.close()
        self._socket.close()

    def i2c_rdwr(self, *messages: i2c_msg) -> None:
        """One transaction: a write, a read, or a write and then a read of the same slave."""
        given: list[Any] = list(messages)
        writes = [each for each in given if not each.flags & I2C_M_RD]
        reads = [each for each in given if each.flags & I2C_M_RD]
        if [*writes, *reads] != given or len(writes) > 1 or len(reads) > 1 or len({each.addr for each in given}) != 1:
            raise _error(errno.EOPNOTSUPP)
        data = self._transfer(given[0].addr, bytes(writes[0]) if writes else b"", reads[0].len if reads else 0)
        for place, byte in enumerate(data):
            reads[0].buf[place] = byte

    def write_quick(self, address: int) -> None:
        self._transfer(address, b"", 0)

    def read_byte(self, address: int) -> int:
        return self._transfer(address, b"", 1)[0]

    def write_byte(self, address: int, value: int) -> None:
        self._transfer(address, bytes([value]), 0)

    def read_i2c_block_data(self, address: int, register: int, length: int) -> list[int]:
        return list(self._transfer(address, bytes([register]), length))

    def write_i2c_block_data(self, address: int, register: int, data: list[int]) -> None:
        self._transfer(address, bytes([register, *data]), 0)

    def _transfer(self, address: int, write: bytes, count: int) -> bytes:
        answer = self._ask(op="xfer", address=address, write=write.hex(), read=count)
        if answer["ok"]:
            return bytes.fromhex(answer["read"])
        number = ERRORS.get(answer["error"], errno.EIO)
        if number == errno.ETIMEDOUT:
            self._ask(op="clocks")
        raise _error(number)

    def _ask(self, **request: Any) -> dict[str, Any]:
        try:
            self._lines.write(json.dumps(request).encode() + b"\n")
            self._lines.flush()
            line = self._lines.readline()
        except ValueError:  # it was closed
            line = b""
        if not line:
            raise _error(errno.ENODEV)
        return json.loads(line)


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))
