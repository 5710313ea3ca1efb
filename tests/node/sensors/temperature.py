"""The temperature inside the chip: RP2 (RP2040 data sheet 4.9.5), ESP32 (Fahrenheit), ESP32-S2 and later (Celsius)."""

import sys

from _rig import attach, error, near, refuses

from esp_node.sensors import temperature

core = attach(device="temperature", temp_c=27)
sensor = temperature.create(None, {})
near(sensor.get()[0], 27, 0.3)  # 0.706 V; a step of the 12 bits is 0.47 degrees
core.set({"temp_c": 60})
near(sensor.get()[0], 60, 0.3)
near(temperature.create(None, {"offset": -4.5}).get()[0], 55.5, 0.3)
core.measured = lambda: 876 * 3.3 / 4095  # recorded: 876 of 4095 counts, as an RP2040 tells at 27 degrees
near(sensor.get()[0], 27 - (876 * 3.3 / 4095 - 0.706) / 0.001721, 0.01)
for fault, kind in (("absent", ValueError), ("garbage", ValueError), ("busy", OSError)):
    core.set({"fault": fault})
    text = error(kind, sensor.get)
    assert kind is OSError or "cannot be" in text
    core.set({"fault": None})
    near(sensor.get()[0], 27, 0.5)

machine = sys.modules["machine"]


class Esp8266:
    class ADC:
        pass


sys.modules["machine"] = Esp8266
refuses(temperature, {}, "temperature", "no sensor of its own")
sys.modules["machine"] = machine


class Esp32:
    count = 128

    @staticmethod
    def raw_temperature():
        return Esp32.count


sys.modules["esp32"] = Esp32
sensor = temperature.create(None, {})
near(sensor.get()[0], 53.33, 0.01)  # 128 °F
Esp32.count = 1023
assert "cannot be" in error(ValueError, sensor.get)
Esp32.count = 32
assert sensor.get() == (0,)

Esp32.mcu_temperature = staticmethod(lambda: Esp32.count)
Esp32.count = 41
sensor = temperature.create(None, {})
assert sensor.get() == (41,)
for Esp32.count in (-40, 125):
    assert sensor.get() == (Esp32.count,)
for Esp32.count in (-41, 126):
    error(ValueError, sensor.get)
del Esp32.mcu_temperature, Esp32.raw_temperature
refuses(temperature, {}, "temperature", "no sensor of its own")
for field, value in (("offset", "1"), ("offset", 51), ("pin", 4)):
    refuses(temperature, {field: value}, field)
print("ok")
