"""Samples of one stream, collected into time frames: [frame number, time of the first sample,
[values]].

`frame_ms` is the length of a frame and `values` the number of evenly spaced samples in it; the
frame is sent at whichever comes first.
0 is the wildcard: no `values`, as many as come; no `frame_ms`, however long it takes; neither,
each value by itself.
"""


def sample_interval(frame_ms, values):
    """Milliseconds between two samples (int), or None where the frame does not say."""
    return max(10, frame_ms // values) if frame_ms and values else None


class Frames:
    """Collects one stream. Times in ms since 1970; a value is a number, or a list of them for
    several fields."""

    def __init__(self, frame_ms=0, values=0):
        for name, number in (("frame_ms", frame_ms), ("values", values)):
            if type(number) is not int or number < 0:
                raise ValueError("%s: must be a whole number, 0 or more, not %r" % (name, number))
        self.frame_ms = frame_ms
        self.values = values or (0 if frame_ms else 1)
        self.number = 0
        self.base = 0
        self.pending = []

    def add(self, ts, value):
        """Take a sample. Returns the frames that are complete now: none, one, or two."""
        complete = self.expire(ts)
        if not self.pending:
            self.base = ts
        self.pending.append(value)
        if self.values and len(self.pending) >= self.values:
            complete.append(self._close())
        return complete

    def expire(self, ts):
        """The frame whose time is over at `ts`, in a list, even when it is short of values; else
        an empty list."""
        if self.pending and self.frame_ms and not 0 <= ts - self.base < self.frame_ms:
            return [self._close()]
        return []

    def _close(self):
        frame = [self.number, self.base, self.pending]
        self.number += 1
        self.pending = []
        return frame
