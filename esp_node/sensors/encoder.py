"""A rotary encoder: position in quarter steps. Options: {"a": pin, "b": pin, "pull": "up" or "none", "unit": 0}.
Counted in hardware (`unit`) where the firmware has machine.Encoder (ESP32), else by interrupt."""

NAME = "encoder"
FIELDS = ("position", "errors")
UNITS = ("", "")
DIGITS = (0, 0)
# By old levels of a and b, then new ones: 1 is a step forward, 2 one back, 3 cannot be, an edge was lost.
_TABLE = b"\x00\x02\x01\x03\x01\x00\x03\x02\x02\x03\x00\x01\x03\x01\x02\x00"


class Decoder:
    def __init__(self, a, b):
        from esp_node.sensors._edges import listen

        self._a, self._b = a, b
        self._table = _TABLE
        self._position = self._errors = self._seen = self._moved = self._steps = 0
        self._levels = a.value() << 1 | b.value()
        listen(a, self._edge)
        listen(b, self._edge)

    def _edge(self, pin):
        # Runs as an interrupt: nothing that allocates.
        levels = self._a.value() << 1 | self._b.value()
        step = self._table[self._levels << 2 | levels]
        self._levels = levels
        if step == 1:
            self._position += 1
        elif step == 2:
            self._position -= 1
        elif step == 3:
            self._errors += 1
            return
        self._steps = (self._steps + 1) & 0xFFFF

    def get(self):
        """(position in quarter steps, edges lost since the start). ValueError: of late more were lost than seen."""
        errors, steps = self._errors - self._seen, (self._steps - self._moved) & 0xFFFF
        self._seen, self._moved = self._errors, self._steps
        if errors > 3 and errors > steps:
            raise ValueError("%d of %d edges lost: wiring, pull-up, too fast?" % (errors, errors + steps))
        return self._position, self._errors

    def close(self):
        """Release the pins."""
        self._a.irq(handler=None)
        self._b.irq(handler=None)


class Counted:
    def __init__(self, encoder):
        self._encoder = encoder

    def get(self):
        """(position in quarter steps, None: hardware does not tell)"""
        return self._encoder.value(), None

    def close(self):
        """Release the unit."""
        if hasattr(self._encoder, "deinit"):
            self._encoder.deinit()


def create(node, options):
    from esp_node.sensors._options import choice, number, take, wired

    options = take(options, {"a": ..., "b": ..., "pull": "up", "unit": 0})
    a, b = wired("Pin", options, "a"), wired("Pin", options, "b")
    pull = a.PULL_UP if choice(options, "pull", ("none", "up")) else None
    unit = int(number(options, "unit", 0, 7))
    a.init(a.IN, pull)
    b.init(b.IN, pull)
    import machine

    if hasattr(machine, "Encoder"):
        return Counted(machine.Encoder(unit, a, b, phases=4))
    return Decoder(a, b)
