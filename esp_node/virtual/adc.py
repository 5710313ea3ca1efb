"""machine.ADC and TouchPad on virtual voltages and pads; `attach(device, pin)` connects a device to a pin (its
number)."""

from esp_node.virtual.device import Device

_ETIMEDOUT = 110
_RANGE = (1.1, 1.5, 2.2, 3.3)  # V of an ESP32 at 0, 2.5, 6 and 11 dB
_devices = {}


def attach(device, pin):
    """Connect `device`, a Voltage or one with `touch()` (count of a TouchPad), to the pin; returns it."""
    _devices[pin] = device
    return device


def detach_all():
    """Nothing is connected any more."""
    _devices.clear()


class Voltage(Device):
    """A voltage (V) at a pin. Faults: "absent" (the wire is off, and a pull-down leaves 0 V), "garbage" (it touches the
    supply), "busy" (the converter serves the Wi-Fi: OSError)."""

    PHYSICAL = {"volts": 1.5}

    def volts(self):
        return {"absent": 0, "garbage": 3.3}[self.fault] if self.fault in ("absent", "garbage") else self.measured()

    def measured(self):
        return self.value("volts")


def _device(pin):
    number = pin if isinstance(pin, int) else pin.number
    if number not in _devices:
        raise ValueError("invalid pin")
    return _devices[number]


class ADC:
    """12 bits, as most boards have; 3.3 V until atten() sets another range."""

    ATTN_0DB = 0
    ATTN_2_5DB = 1
    ATTN_6DB = 2
    ATTN_11DB = 3
    CORE_TEMP = 4

    def __init__(self, pin, *, atten=3):
        self._device = _device(pin)
        self.atten(atten)

    def atten(self, atten):
        self._full = _RANGE[atten]

    def read_u16(self):
        if self._device.fault == "busy":
            raise OSError(_ETIMEDOUT)
        count = max(0, min(4095, round(self._device.volts() / self._full * 4095)))
        return count << 4 | count >> 8

    def read_uv(self):
        return round(self.read_u16() * self._full * 1000000 / 65535)


class TouchPad:
    """An ESP32's: the count falls when the pad is touched."""

    def __init__(self, pin):
        self._device = _device(pin)

    def read(self):
        if self._device.fault == "busy":
            raise ValueError("Touch pad error")
        return self._device.touch()
