"""A DHT22 (AM2302): humidity and temperature in tenths, 16 bits each, the sign of the temperature in its first bit."""

from esp_node.virtual.devices._dht import Dht


class Dht22(Dht):
    PHYSICAL = {"temp_c": 21.5, "humidity_pct": 45.0}
    START_US = 800  # AM2302: 0.8 to 20 ms

    def data(self):
        humidity = round(self.value("humidity_pct") * 10)
        temp = round(self.value("temp_c") * 10)
        word = -temp | 0x8000 if temp < 0 else temp
        return humidity >> 8, humidity & 0xFF, word >> 8, word & 0xFF


def create(settings):
    return Dht22(settings)
