"""Several inputs joined to one value per time frame (ts // frame_ms): when each has given one, with the newest of each.

A frame stays open for one frame more, because averages arrive late. An input that is missing even then is told as
`missing` says. Values for older frames are dropped; a clock that was set back by many frames begins anew.
"""

from esp_node.steps._options import milliseconds, take
from esp_node.steps._step import Step
from schema.errors import Invalid

NAME = "join"
OPTIONS = {"frame_ms": ..., "missing": "drop"}
_LATE = 16  # frames; what is older was given its time by another clock


class Join(Step):
    name = NAME

    def __init__(self, widths, frame_ms, missing):
        self._widths = widths
        self._frame_ms = frame_ms
        self._missing = missing
        self._latest = [(None,) * width for width in widths]
        self._frames = []  # at most two, the newest last: [number, ts, values of each input or None once joined]

    def port(self, place):
        """add(ts, value) of the input at `place`."""
        return lambda ts, value: self.add(ts, value, place)

    def add(self, ts, value, place=0):
        values = value if type(value) is tuple else (value,)
        usable = False
        for one in values:
            usable = self.usable(one) or usable
        frame = self._frame(ts // self._frame_ms) if usable else None
        if frame is None:
            return
        if self._missing == "last":
            self._latest[place] = values
        if frame[2] is not None:
            frame[2][place] = values
            frame[1] = max(ts, frame[1])
        while self._frames[0][0] < self._frames[-1][0] - 1:
            frame = self._frames.pop(0)
            if self._missing != "drop":
                self._send(frame)
        frame = self._frames[-1] if self._frames[-1][0] == ts // self._frame_ms else self._frames[0]
        if frame[2] is not None and None not in frame[2]:
            self._send(frame)

    def _frame(self, number):
        frames = self._frames
        for frame in frames:
            if frame[0] == number:
                return frame
        newest = frames[-1][0] if frames else number
        if newest - _LATE <= number < newest - 1:
            return None
        if number < newest - 1:
            del frames[:]
        frame = [number, 0, [None] * len(self._widths)]
        frames.insert(0 if number < newest else len(frames), frame)
        return frame

    def _send(self, frame):
        values = frame[2]
        if values is not None:
            frame[2] = None
            joined = ()
            for place in range(len(values)):
                joined += values[place] or self._latest[place]
            self.emit(frame[1], joined)


def create(options, fields):
    """Options: frame_ms; missing: "drop" (no value for such a frame), "none" or "last" (the value before instead).
    fields: one tuple per input."""
    given = take(options, OPTIONS)
    if given["missing"] not in ("drop", "none", "last"):
        raise Invalid("missing", "must be drop, none or last")
    return Join([len(one) for one in fields], milliseconds(given, "frame_ms"), given["missing"])
