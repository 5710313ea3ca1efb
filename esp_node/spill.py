"""The outbox's part on flash: segment files of one sector each, written once and deleted whole.

A folder holds the segments, `<first seq>-<last seq>`, and an empty file `<stream>.<number>`: no number above it was
ever used. Names are all there is to read at a start, and nothing is ever rewritten, so that a power cut leaves either
the old or the new state; a segment torn by one ends at its last whole record (length and checksum). Memory: a few
numbers, and one open file while it is read.

Record: length of topic (1 byte), length of payload (2), topic, payload, CRC-32 (4) begun with the seq.
"""

import os
import struct
from binascii import crc32

from esp_node.logger import log

_SECTOR = 4096
_RESERVE = 128  # numbers reserved at a time: a write of the folder alone


class Spill:
    """Segments in `folder` (made if missing), at most `most` bytes of flash. A folder without a stream begins one
    named `stream`. OSError when the flash cannot be written at all.

    To read: stream, numbered (no seq above it was given before this start), last (highest seq in the segments), count
    (events in them, damage included), segments, and faults (of writing or reading).
    """

    def __init__(self, folder, most, stream):
        self.folder = folder + "/"
        self.most = max(1, most // _SECTOR)
        self.stream = None
        self.numbered = self.last = self.count = self.segments = self.faults = 0
        self._file = None
        self._seq = 0  # of the next record of _file
        self._end = 0  # last seq of _file
        try:
            os.mkdir(folder)
        except OSError:  # it is there, or the next step will tell
            pass
        self._oldest = None  # bounds of the first segment
        marks = []
        for name in _names(folder):
            bounds = _bounds(name)
            if bounds:
                self._add(bounds)
            elif name.rpartition(".")[2].isdigit():
                marks.append(name)
        self._reserved = 0
        for name in marks:
            named, _, number = name.rpartition(".")
            if self.stream is None or int(number) > self._reserved:
                self.stream, self._reserved = named, int(number)
        if self.stream is None:
            self.forget(self.last)  # events of a stream that nobody knows any more
            self.last = 0
            self.stream = stream
            self._number(0)
        for name in marks:
            if name != self._mark():
                _discard(self.folder + name)
        self.numbered = max(self._reserved, self.last)

    def reserve(self, seq):
        """Whether `seq` may be used: true when the flash says that it, and some more, may have been."""
        if seq + _RESERVE // 2 > self._reserved:
            try:
                self._number(seq + _RESERVE)
            except OSError as error:
                self._failed(error)
        return seq <= self._reserved

    def absorb(self, box):
        """Store as many of the oldest events of an Outbox as one sector holds, and take them out of its memory. False
        when the first fits in none, or the flash is full. For room the oldest segments are given up."""
        size = kept = 0
        for _seq, topic, payload in box.queue:
            size += 7 + len(topic) + len(payload)
            if size > _SECTOR or len(topic) > 255:
                break
            kept += 1
        if not kept:
            return False
        bounds = box.queue[0][0], box.queue[kept - 1][0]
        path = self._path(bounds)
        try:
            with open(path, "wb") as file:
                for number in range(kept):
                    file.write(_record(box.queue[number]))
        except OSError as error:
            self._failed(error)
            _discard(path)
            return False
        for _ in range(kept):
            box.held -= len(box.queue.pop(0)[2])
        self._add(bounds)
        while self.segments > self.most:
            first, last = self._oldest
            box.dropped += max(0, last - max(first - 1, box.mark))
            self._remove(self._oldest)
        return True

    def forget(self, mark):
        """Delete the segments that `mark` has passed."""
        while self._oldest and self._oldest[1] <= mark:
            self._remove(self._oldest)

    def read(self, seq):
        """The first (seq, topic, payload) from `seq` on that can be read, or None."""
        while seq <= self.last:
            try:
                if self._file is None or not self._seq <= seq <= self._end:
                    self._leave()
                    bounds = self._from(seq)
                    if bounds is None:
                        return None
                    self._seq, self._end = bounds
                    self._file = open(self._path(bounds), "rb")  # noqa: SIM115 (read piece by piece)
                item = self._next_record()
            except OSError:
                item = None
            if item is None:
                self._failed("damaged from %d to %d" % (self._seq, self._end))
                seq = self._end + 1
                self._leave()
            elif item[0] >= seq:
                return item

    def close(self, box):
        """An orderly end: what is in the memory of the Outbox is kept, and no number above its last one is lost."""
        while box.queue and self.absorb(box):
            pass
        self._leave()
        try:
            self._number(box.seq)
        except OSError as error:
            self._failed(error)

    def _next_record(self):
        head = self._file.read(3)
        if len(head) == 3:
            size, length = struct.unpack("<BH", head)
            body = self._file.read(size + length)
            check = self._file.read(4)
            if len(check) == 4 and struct.unpack("<I", check)[0] == _check(self._seq, head, body):
                self._seq += 1
                return self._seq - 1, str(body[:size], "utf-8"), body[size:]

    def _leave(self):
        if self._file is not None:
            self._file.close()
            self._file = None

    def _number(self, seq):
        # First the new name, then the old one away: where both are found, the higher counts.
        old = self._mark()
        self._reserved, before = seq, self._reserved
        try:
            open(self.folder + self._mark(), "wb").close()
        except OSError:
            self._reserved = before
            raise
        if old != self._mark():
            _discard(self.folder + old)

    def _mark(self):
        return "%s.%d" % (self.stream, self._reserved)

    def _path(self, bounds):
        return "%s%d-%d" % ((self.folder,) + bounds)

    def _add(self, bounds):
        self.segments += 1
        self.count += bounds[1] - bounds[0] + 1
        self.last = max(self.last, bounds[1])
        self._oldest = min(self._oldest or bounds, bounds)

    def _remove(self, bounds):
        if self._file is not None and self._end == bounds[1]:
            self._leave()
        _discard(self._path(bounds))
        self.segments -= 1
        self.count -= bounds[1] - bounds[0] + 1
        self._oldest = self._from(bounds[1] + 1)

    def _from(self, seq):
        # Bounds of the first segment that ends at `seq` or later.
        found = None
        for name in _names(self.folder):
            bounds = _bounds(name)
            if bounds and bounds[1] >= seq and (found is None or bounds < found):
                found = bounds
        return found

    def _failed(self, error):
        self.faults += 1
        if self.faults < 4:
            log("error", "spill: %s" % error)


def _names(folder):
    if hasattr(os, "ilistdir"):  # without a list of them all
        return (entry[0] for entry in os.ilistdir(folder))
    return os.listdir(folder)


def _bounds(name):
    first, _, last = name.partition("-")
    return (int(first), int(last)) if first.isdigit() and last.isdigit() else None


def _record(event):
    seq, topic, payload = event
    head = struct.pack("<BH", len(topic), len(payload))
    body = topic.encode() + payload
    return head + body + struct.pack("<I", _check(seq, head, body))


def _check(seq, head, body):
    return crc32(body, crc32(head, seq & 0xFFFFFFFF)) & 0xFFFFFFFF


def _discard(path):
    try:
        os.remove(path)
    except OSError:
        pass
