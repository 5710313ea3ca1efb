"""A potentiometer, or anything else with a voltage (V), at an analog pin."""

from esp_node.virtual.adc import Voltage, attach


def create(settings):
    return attach(Voltage(settings), settings["pin"])
