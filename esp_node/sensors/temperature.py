"""The temperature inside the chip of the board: ESP32 and RP2; `offset` (°C) is added, as it is off by some degrees.

An ESP32 tells Fahrenheit, its successors Celsius; an RP2's by its data sheet (RP2040, section 4.9.5): 0.706 V at 27 °C,
-1.721 mV per degree.
"""

from schema.errors import Invalid

NAME = "temperature"
FIELDS = ("temp_c",)
UNITS = ("°C",)
DIGITS = (1,)


class Temperature:
    def __init__(self, options):
        from esp_node.sensors._options import number, part, take

        self._offset = number(take(options, {"offset": 0}), "offset", -50, 50)
        self._read = _reader(part)

    def get(self):
        """(°C,)"""
        temp = self._read()
        if not -40 <= temp <= 125:
            raise ValueError("%.0f degrees inside the chip cannot be" % temp)
        return (temp + self._offset,)


def _reader(part):
    try:
        import esp32

        if hasattr(esp32, "mcu_temperature"):
            return esp32.mcu_temperature
        if hasattr(esp32, "raw_temperature"):
            return lambda: (esp32.raw_temperature() - 32) / 1.8
    except ImportError:
        converter = part("ADC")
        if hasattr(converter, "CORE_TEMP"):
            adc = converter(converter.CORE_TEMP)
            return lambda: 27 - (adc.read_u16() * 3.3 / 65535 - 0.706) / 0.001721
    raise Invalid("temperature", "this board has no sensor of its own")


def create(node, options):
    return Temperature(options)
