"""Samples of one stream, collected into time frames [frame number, time of the first sample, [samples]]: msgpack,
written sample by sample into a buffer that is made once.

`frame_ms` is the length of a frame and `values` the number of samples in it; the frame is sent at whichever comes
first. 0 is the wildcard: no `values`, as many as come; no `frame_ms`, however long it takes; neither, each sample by
itself. A frame that fills its buffer is sent early.
"""

from esp_node.sinks import Tele
from schema.pack import head, pack_into

_HEAD = 18  # bytes of the longest head: array of 3, number to 32 bits, time to 64 bits, array to 65,535


class Frames:
    """Collects one stream; each frame that is complete goes to `emit(payload)`, a memoryview that holds until the next
    add().

    A sample is one value, or a tuple with one per field. digits: per field, the decimals that are sent, as the whole
    number round(value * 10**digits), or None for values sent as they are (floats, text). size: bytes of the buffer.
    """

    emit = None

    def __init__(self, frame_ms, values, digits, size):
        self._length = frame_ms
        self._values = values or (0 if frame_ms else 1)
        self._factors = [None if places is None else 10**places for places in digits]
        self._buffer = bytearray(size)
        self._number = self._base = self._count = 0
        self._at = _HEAD

    def add(self, ts, sample):
        """Take a sample of the time `ts` (ms). ValueError for one that cannot be sent (NaN, infinity, more than 64
        bits, more than the whole buffer); the others are not touched by it."""
        self.expire(ts)
        if sample is None or len(self._factors) == 1:
            sample = _scaled(sample, self._factors[0])
        else:
            sample = _all_scaled(sample, self._factors)
        try:
            end = pack_into(self._buffer, self._at, sample)
        except ValueError:
            if not self._count:
                raise
            self._close()
            end = pack_into(self._buffer, self._at, sample)
        if not self._count:
            self._base = ts
        self._at = end
        self._count += 1
        if self._count == self._values:
            self._close()

    def expire(self, ts):
        """Send the frame whose time is over at `ts`, even when it is short of values. A clock that was set back ends a
        frame, too."""
        if self._count and self._length and not 0 <= ts - self._base < self._length:
            self._close()

    def _close(self):
        buffer = self._buffer
        size = head(buffer, 0, 3)
        size = pack_into(buffer, size, self._number)
        size = pack_into(buffer, size, self._base)
        size = head(buffer, size, self._count)
        buffer[_HEAD - size : _HEAD] = buffer[:size]
        payload = memoryview(buffer)[_HEAD - size : self._at]
        self._number += 1
        self._count = 0
        self._at = _HEAD
        self.emit(payload)


def _all_scaled(sample, factors):
    if len(sample) != len(factors):
        raise ValueError("frame: cannot use %d values for %d fields" % (len(sample), len(factors)))
    return list(map(_scaled, sample, factors))


def _scaled(value, factor):
    kind = type(value)
    if value is None or kind is bool or (kind is str and factor is None):
        return value
    if kind is int or kind is float:
        scaled = value if factor is None else value * factor
        if scaled - scaled == 0:
            return scaled if factor is None else round(scaled)
    raise ValueError("frame: cannot use %s" % repr(value)[:40])


class Framed(Tele):
    """Sends values in time frames, on data/<name>; with `latest` the newest of each frame as flat JSON, too."""

    def __init__(self, node, name, about):
        super().__init__(node, name, about["fields"], about["digits"])
        self.name = name
        self.latest = about["latest"]
        self.frames = Frames(about["frame_ms"], about["values"], about["digits"], about["bytes"])
        self.frames.emit = self.emit

    def add(self, ts, values):
        self.newest = ts, values
        self.frames.add(ts, values)

    def emit(self, payload):
        node = self.node
        if node.link.connected:
            node.link.publish(node.prefix + "data/" + self.name, payload, False, 0)
            if self.latest:
                node.send("latest", self.told(*self.newest), self.name)
