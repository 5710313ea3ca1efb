"""A magnet nearby: by a Hall switch at `pin` (A3144: low at a magnet), by a linear sensor there (`analog` true, SS49E;
`rest` is its count without a field), or, without a pin, by that inside an ESP32, where the firmware still has it
(before 1.21). A magnet is there from `threshold` counts on."""

from schema.errors import Invalid

NAME = "hall"
FIELDS = ("raw", "magnet")
UNITS = ("", "")
DIGITS = (0, 0)


class Hall:
    def __init__(self, options):
        from esp_node.sensors._options import flag, number, part, take, wired

        options = take(options, {"pin": None, "analog": False, "rest": 32768, "threshold": 2000})
        rest = number(options, "rest", 0, 65535)
        self._threshold = number(options, "threshold", 1, 65535)
        analog = flag(options, "analog")
        self._pin = None
        if options["pin"] is None:
            self._field = _inside()
        elif analog:
            adc = wired("ADC", options, "pin")
            self._field = lambda: adc.read_u16() - rest
        else:
            self._pin = wired("Pin", options, "pin")
            self._pin.init(part("Pin").IN, part("Pin").PULL_UP)

    def get(self):
        """(count of the field, with its sign; None at a switch, whether there is a magnet)"""
        if self._pin is not None:
            return None, self._pin.value() == 0
        field = self._field()
        if not -32000 < field < 32000:
            raise ValueError("the output touches the supply or ground")
        return field, abs(field) >= self._threshold


def _inside():
    try:
        from esp32 import hall_sensor

        return hall_sensor
    except ImportError:
        raise Invalid("pin", "must be given: this firmware has no Hall sensor of its own")


def create(node, options):
    return Hall(options)
