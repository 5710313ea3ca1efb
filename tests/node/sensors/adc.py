"""An analog pin. The counts are those of a 12-bit converter spread over 16 bits: count << 4 | count >> 8."""
# ruff: noqa: PT018 (plain asserts: MicroPython has no pytest)

import sys

from _rig import attach, error, near, refuses

from esp_node.sensors import _options, adc

source = attach(device="adc", pin=34, volts=1.65)
sensor = adc.create(None, {"pin": 34})
raw, volts = sensor.get()
assert raw == 2048 << 4 | 2048 >> 8  # half of 4095, rounded
near(volts, 1.65, 0.001)
for level, count in ((0, 0), (3.3, 65535), (5, 65535)):
    source.set({"volts": level})
    assert sensor.get()[0] == count

# ESP32: at 0 dB 1.1 V are the full scale.
source.set({"volts": 0.55})
near(adc.create(None, {"pin": 34, "attenuation": 0}).get()[1], 0.55, 0.001)
near(adc.create(None, {"pin": 34, "attenuation": 2.5}).get()[1], 0.55, 0.001)

# Firmware without read_uv() (ESP8266, 1.0 V full scale): out of the counts.
near(adc.create(None, {"pin": 34, "full_scale": 1.0}).get()[1], 0.55 / 3.3, 0.001)
machine = sys.modules["machine"]


class Plain:
    def __init__(self, pin):
        self.read_u16 = machine.ADC(pin).read_u16


class OldMachine:
    Pin = machine.Pin
    ADC = Plain


sys.modules["machine"] = OldMachine
near(adc.create(None, {"pin": 34}).get()[1], 0.55, 0.001)


class Esp8266:
    platform = "esp8266"


class OneChannel:
    def __init__(self, channel):
        assert channel == 0 and type(channel) is int  # no Pin

    def read_u16(self):
        return 13107


OldMachine.ADC = OneChannel
_options.sys = Esp8266
near(adc.create(None, {"pin": 0, "full_scale": 1.0}).get()[1], 0.2, 0.0001)
_options.sys = sys
del OldMachine.ADC
refuses(adc, {"pin": 34}, "ADC", "this board has none")
sys.modules["machine"] = machine

# The mean of 64 samples of a noisy voltage is nearer to the truth than one step.
dice = [7]


def noisy(_):
    dice[0] = dice[0] * 1103515245 + 12345 & 0x7FFFFFFF
    return 1.0 + (dice[0] / 0x7FFFFFFF - 0.5) * 0.1


source.set({"volts": noisy})
near(adc.create(None, {"pin": 34, "samples": 64}).get()[1], 1.0, 0.015)
source.set({"volts": 1.0})

# A wire that is off, one at the supply, and a converter that is busy; and back.
watched = adc.create(None, {"pin": 34, "least": 0.2, "most": 3})
for fault, kind in (("absent", ValueError), ("garbage", ValueError), ("busy", OSError)):
    source.set({"fault": fault})
    text = error(kind, watched.get)
    assert kind is OSError or "broken wire" in text
    source.set({"fault": None})
    near(watched.get()[1], 1.0, 0.001)

refuses(adc, {}, "pin", "must be given")
refuses(adc, {"pin": 35}, "pin", "pin 35")  # no analog pin
for field, value in (
    ("pin", True),
    ("samples", 0),
    ("samples", 101),
    ("attenuation", 12),
    ("full_scale", "3"),
    ("least", -1),
    ("most", []),
    ("vref", 3.3),
):
    options = {"pin": 34}
    options[field] = value
    refuses(adc, options, field)
print("ok")
