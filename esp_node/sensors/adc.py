"""A voltage at an analog pin, for example of a potentiometer.

`samples` are averaged. `attenuation` (ESP32): 0, 2.5, 6 or 11 dB. `full_scale`: volts of the largest count; without it
the firmware's calibration, and 3.3 where it has none. A voltage outside `least` to `most` (V) is a broken wire:
ValueError.
"""

NAME = "adc"
FIELDS = ("raw", "volts")
UNITS = ("", "V")
DIGITS = (0, 3)


class Adc:
    def __init__(self, options):
        from esp_node.sensors._options import choice, number, take, wired

        options = take(
            options,
            {"pin": ..., "samples": 1, "attenuation": None, "full_scale": None, "least": None, "most": None},
        )
        self._samples = int(number(options, "samples", 1, 100))
        for name in ("full_scale", "least", "most"):
            if options[name] is not None:
                number(options, name, 0, 100)
        self._options = options
        self._adc = wired("ADC", options, "pin")
        if options["attenuation"] is not None:
            self._adc.atten(choice(options, "attenuation", (0, 2.5, 6, 11)))

    def get(self):
        """(mean of the counts, 0 to 65535; volts)"""
        full = self._options["full_scale"]
        calibrated = full is None and hasattr(self._adc, "read_uv")
        count = volts = 0
        for _ in range(self._samples):
            count += self._adc.read_u16()
            if calibrated:
                volts += self._adc.read_uv()
        count /= self._samples
        volts = volts / self._samples / 1000000 if calibrated else count * (full or 3.3) / 65535
        least, most = self._options["least"], self._options["most"]
        if least is not None and volts < least or most is not None and volts > most:
            raise ValueError("%.3f V is outside of what is connected: a broken wire?" % volts)
        return count, volts


def create(node, options):
    return Adc(options)
