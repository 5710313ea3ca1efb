"""Real firmware on simulated AVRs: a bus of avr/sim/server.py, which listens on TCP port `port` of this machine.

The simulator has wires of its own. What the node's pins do by themselves reaches them as a whole: clocks on SCL, at the
stop behind them.
"""

import binascii
import json
import socket
import sys

from esp_node.virtual import i2c, pins

_ENODEV = 19


def create(settings):
    """`settings`: port, scl, sda."""
    return Rig(settings)


class Rig:
    """What SoftI2C finds on its wires beyond the chips attached to it."""

    def __init__(self, settings):
        self._stream = None
        self._clocks = 0  # since the last stop
        self.set(settings)
        self._scl, sda = (pins.line(settings[name]) for name in ("scl", "sda"))
        for wire, watch in ((self._scl, self._clocked), (sda, self._moved)):
            wire.driver(pull=1)
            wire.watchers.append(watch)
        i2c.reach(self, settings["scl"], settings["sda"])

    def set(self, settings):
        """Take over another `port`, after the simulation was started anew."""
        self._port = settings["port"]

    def scan(self):
        return self._ask({"op": "scan"})["addresses"]

    def at(self, address):
        """The slave at `address`, as a chip."""
        return _Slave(self, address)

    def transfer(self, request):
        """One transaction: bytes read. OSError when the slave does not acknowledge, or the bus is stuck."""
        request["op"] = "xfer"
        answer = self._ask(request)
        if not answer["ok"]:
            raise OSError(_ENODEV if answer["error"] == "nack" else answer["error"])
        return binascii.unhexlify(answer["read"])

    def _clocked(self, level):
        self._clocks += not level

    def _moved(self, level):
        if level and self._scl.level and self._clocks:
            # The last one was for the stop.
            count, self._clocks = self._clocks - 1, 0
            try:
                self._ask({"op": "clocks", "count": count})
            except OSError:  # a pin knows nothing of that
                pass

    def _ask(self, request):
        try:
            if self._stream is None:
                connection = socket.socket()
                connection.connect(socket.getaddrinfo("127.0.0.1", self._port)[0][-1])
                # MicroPython's sockets are streams themselves.
                cpython = sys.implementation.name == "cpython"
                self._stream = connection.makefile("rwb", buffering=0) if cpython else connection
            self._stream.write(json.dumps(request).encode() + b"\n")
            return json.loads(self._stream.readline())
        except (OSError, ValueError):
            self._stream = None
            raise OSError("rig: the simulation does not answer")


class _Slave:
    def __init__(self, rig, address):
        self._rig = rig
        self._address = address

    def receive(self, data):
        self._rig.transfer({"address": self._address, "write": str(binascii.hexlify(data), "ascii")})
        return len(data)

    def send(self, count):
        return self._rig.transfer({"address": self._address, "read": count})
