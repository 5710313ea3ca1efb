"""The temperature sensor inside an RP2040 (°C): channel 4 of its converter, 0.706 V at 27 °C, -1.721 mV per degree
(data sheet RP2040, section 4.9.5)."""

from esp_node.virtual.adc import ADC, Voltage, attach


class Core(Voltage):
    PHYSICAL = {"temp_c": 30}

    def measured(self):
        return 0.706 - (self.value("temp_c") - 27) * 0.001721


def create(settings):
    return attach(Core(settings), ADC.CORE_TEMP)
