"""DS18B20: temperature on a 1-wire bus, powered by three wires. Options: {"pin": number, "rom": its 16 hex digits};
`rom` may be left out where it is alone. Maxim data sheet 19-7487: -55 to 125 °C, a conversion takes 750 ms.

The firmware's `onewire` is enough: its `ds18x20` always names the device, which takes 10 ms more where it is alone.
"""

import time

NAME = "ds18b20"
FIELDS = ("temp_c", "age_ms")
UNITS = ("°C", "ms")
DIGITS = (2, 0)
_CONVERSION_MS = 750
_CONVERT = 0x44
_READ = 0xBE
_FAMILY = 0x28
_POWER_ON = 0x0550  # 85 °C: what it says until its first conversion


class Ds18b20:
    def __init__(self, options):
        from esp_node.sensors._options import take, wired
        from schema.errors import Invalid

        options = take(options, {"pin": ..., "rom": None})
        pin = wired("Pin", options, "pin")
        try:
            from onewire import OneWire
        except ImportError:
            raise Invalid("onewire", "this firmware has none")
        self._wire = OneWire(pin)
        self._rom = None if options["rom"] is None else _rom(options["rom"], self._wire)
        self._alone = False
        self._started = self._problem = None
        self._latest = None, None

    def get(self):
        """(°C, ms since that conversion began), None before the first; then begins the next. Takes 9 ms, by rom 20.

        OSError: no answer; ValueError: CRC, a lost conversion (85 °C), not a DS18B20.
        """
        if self._started is None:
            self._start()
        elif not 0 <= time.ticks_diff(time.ticks_ms(), self._started) < _CONVERSION_MS:
            began, self._started = self._started, None
            self._latest, self._problem = (None, None), None
            try:
                self._latest = self._read(), began
            except ValueError as problem:
                self._problem = problem
            self._start()
        if self._problem is not None:
            raise self._problem
        temp, began = self._latest
        return temp, None if began is None else time.ticks_diff(time.ticks_ms(), began)

    def _start(self):
        if self._rom is None and not self._alone:
            _check_alone(self._wire.scan())
            self._alone = True
        self._command(_CONVERT)
        self._started = time.ticks_ms()

    def _command(self, command):
        wire = self._wire
        if not wire.reset():
            self._alone = False
            raise OSError("no answer on the 1-wire bus: wiring, pull-up?")
        if self._rom is None:
            wire.writebyte(wire.SKIP_ROM)
        else:
            wire.writebyte(wire.MATCH_ROM)
            wire.write(self._rom)
        wire.writebyte(command)

    def _read(self):
        self._command(_READ)
        data = bytearray(9)
        self._wire.readinto(data)
        if min(data) == 0xFF:
            raise OSError("no answer of this rom")
        if self._wire.crc8(data):
            raise ValueError("CRC error")
        if data[4] & 0x9F != 0x1F:
            raise ValueError("not a DS18B20, or the wire hangs low")
        raw = data[1] << 8 | data[0]
        if raw == _POWER_ON:
            raise ValueError("85 degrees: it lost its power")
        if raw & 0x8000:
            raw -= 0x10000
        if not -880 <= raw <= 2000:
            raise ValueError("%d degrees cannot be" % (raw // 16))
        return raw / 16


def _check_alone(roms):
    import binascii

    if len(roms) != 1 or roms[0][0] != _FAMILY:
        found = ", ".join([binascii.hexlify(rom).decode() for rom in roms])
        raise OSError("not one DS18B20 alone on the 1-wire bus (name one by rom): " + (found or "no answer"))


def _rom(text, wire):
    import binascii

    from schema.errors import Invalid

    try:
        rom = binascii.unhexlify(text)
    except (ValueError, TypeError):
        rom = b""
    if len(rom) != 8 or rom[0] != _FAMILY or wire.crc8(rom):
        raise Invalid("rom", "must be the 16 hex digits of a DS18B20, as scan() tells, family 28 first")
    return rom


def create(node, options):
    return Ds18b20(options)
