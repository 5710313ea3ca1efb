"""What steps share: what each of them is, and the window of the statistics."""


class Step:
    """A step of one numeric field: add() hands what is usable to take(ts, value)."""

    name = "step"
    emit = None  # (ts, value), set by whoever builds the chain

    def add(self, ts, value):
        kind = type(value)
        if kind is int or (kind is float and value - value == 0) or self.usable(value):
            self.take(ts, value)

    def usable(self, value):
        """True for a number, False for None; ValueError for anything else."""
        kind = type(value)
        if kind is int or kind is bool or (kind is float and value - value == 0):
            return True
        if value is None:
            return False
        raise ValueError("%s: cannot use %s" % (self.name, repr(value)[:40]))


class Window(Step):
    """Values of a window end when there are `count` of them, or when a value comes that belongs to another
    `window_ms` (ts // window_ms); the result carries the time of the newest value. With `sliding`, every value gives
    the result of the newest `count` values that are not older than `window_ms`, without `window_ms` only once there
    are `count`.

    A statistic has fold(value) and result(); self.folded is the number of values folded before. What it keeps has
    public names, because the build shortens private ones in each file by itself.
    """

    def __init__(self, count, window_ms, sliding):
        self.folded = 0
        self._count = count
        self._length = window_ms
        self._ts = 0
        if sliding:
            from esp_node.steps._sliding import slide

            self.take = slide(self, count, window_ms)

    def take(self, ts, value):
        if self._length and self.folded and ts // self._length != self._ts // self._length:
            self.close(self._ts)
        self.fold(value)
        self.folded += 1
        self._ts = ts
        if self.folded == self._count:
            self.close(ts)

    def result(self):
        return self.value

    def close(self, ts):
        try:
            result = self.result()
        finally:
            self.folded = 0
        self.emit(ts, result)
