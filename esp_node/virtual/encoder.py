"""machine.Encoder: two wires counted in hardware, for a board whose description has `encoders`."""

from esp_node.virtual import board

_FORWARD = (0b0010, 0b1011, 0b1101, 0b0100)  # old levels of a and b, then new ones


class Encoder:
    def __init__(self, id, phase_a, phase_b, *, phases=1, filter_ns=0):
        if not 0 <= id < board.encoders:
            raise ValueError("invalid id")
        if phases not in (1, 2, 4):
            raise ValueError("phases")
        self._lines = phase_a.line, phase_b.line
        self._phases = phases
        self._count = 0
        self._levels = self._read()
        for line in self._lines:
            line.watchers.append(self._edge)

    def _read(self):
        return self._lines[0].level << 1 | self._lines[1].level

    def _edge(self, _):
        before, self._levels = self._levels, self._read()
        changed = before ^ self._levels
        if changed in (1, 2):
            self._count += 1 if before << 2 | self._levels in _FORWARD else -1

    def value(self, value=None):
        from esp_node.virtual import clock

        clock.now()
        count = self._count * self._phases // 4
        if value is not None:
            self._count = value * 4 // self._phases
        return count

    def deinit(self):
        for line in self._lines:
            line.watchers.remove(self._edge)
