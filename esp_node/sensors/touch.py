"""A touch: by a pad at a pin that senses it (ESP32), or by a module there (`module` true: TTP223, high while touched).

A pad counts: fewer when touched on an ESP32, more on its successors (`rises` true). Touched is half of `hysteresis`
beyond `threshold`, released as much on the other side of it; without a threshold only the count is told, to find one.
"""

NAME = "touch"
FIELDS = ("touched", "raw")
UNITS = ("", "")
DIGITS = (0, 0)


class Touch:
    def __init__(self, options):
        from esp_node.sensors._options import flag, number, part, take, wired

        options = take(options, {"pin": ..., "module": False, "threshold": None, "hysteresis": 20, "rises": False})
        self._sign = 1 if flag(options, "rises") else -1
        self._half = number(options, "hysteresis", 0, 100000) / 2
        self._threshold = options["threshold"]
        if self._threshold is not None:
            number(options, "threshold", 1, 10000000)
        self._touched = False
        self._module = flag(options, "module")
        self._pin = wired("Pin" if self._module else "TouchPad", options, "pin")
        if self._module:
            # Without a module nothing is touched.
            self._pin.init(part("Pin").IN, getattr(part("Pin"), "PULL_DOWN", None))

    def get(self):
        """(whether it is touched; None without a threshold, count of the pad; None of a module)"""
        if self._module:
            return self._pin.value() == 1, None
        count = self._pin.read()
        if count == 0:
            raise ValueError("the pad counts nothing: shorted?")
        if self._threshold is None:
            return None, count
        beyond = (count - self._threshold) * self._sign
        if abs(beyond) > self._half:
            self._touched = beyond > 0
        return self._touched, count


def create(node, options):
    return Touch(options)
