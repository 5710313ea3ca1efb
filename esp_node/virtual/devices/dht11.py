"""A DHT11: whole per cent and degrees; the fractions are sent as 0."""

from esp_node.virtual.devices._dht import Dht


class Dht11(Dht):
    PHYSICAL = {"temp_c": 21, "humidity_pct": 45}
    START_US = 18000

    def data(self):
        return round(self.value("humidity_pct")), 0, round(self.value("temp_c")), 0


def create(settings):
    return Dht11(settings)
