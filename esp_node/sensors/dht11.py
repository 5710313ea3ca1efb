"""DHT11: temperature and humidity in whole numbers. Options: {"pin": number}. Aosong data sheet: a reading in 1 s."""

NAME = "dht11"
FIELDS = ("temp_c", "humidity_pct")
UNITS = ("°C", "%")
DIGITS = (0, 0)


def create(node, options):
    from esp_node.sensors._dht import Dht

    # Beyond 0-50 °C and 20-90 % it is out of its accuracy, but tells: newer ones go to -20 and 60 °C.
    return Dht(options, "DHT11", 1000, (-20, 60), (1, 100))
