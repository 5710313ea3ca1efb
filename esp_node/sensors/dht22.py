"""DHT22 (AM2302): temperature and humidity. Options: {"pin": number}. Aosong data sheet: a reading in 2 s."""

NAME = "dht22"
FIELDS = ("temp_c", "humidity_pct")
UNITS = ("°C", "%")
DIGITS = (1, 1)


def create(node, options):
    from esp_node.sensors._dht import Dht

    return Dht(options, "DHT22", 2000, (-40, 80), (0, 100))
