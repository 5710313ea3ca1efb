"""A Hall sensor in a `field` of so many mT: linear (`analog` true; SS49E: half the supply without a field, 14 mV/mT),
or a switch with an open collector (A3144: low from 10 mT on, high again below 8)."""

from esp_node.virtual.adc import Voltage, attach
from esp_node.virtual.device import Device
from esp_node.virtual.pins import line


class Linear(Voltage):
    PHYSICAL = {"field": 0}

    def measured(self):
        return 1.65 + self.value("field") * 0.014


class Switch(Device):
    """Faults: "absent" (lets go for ever), "garbage" (shorted to ground)."""

    PHYSICAL = {"field": 0}

    def __init__(self, settings):
        super().__init__(settings)
        self._end = line(settings["pin"]).driver(pull=1)
        self.changed()

    def changed(self):
        field = self.value("field")
        if self.fault is not None:
            self._end.set(0 if self.fault == "garbage" else None)
        elif field >= 10:
            self._end.set(0)
        elif field < 8:
            self._end.set(None)


def create(settings):
    return attach(Linear(settings), settings["pin"]) if settings.get("analog") else Switch(settings)
