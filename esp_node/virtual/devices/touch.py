"""A touch pad of an ESP32 (counts about 1000, 300 under a finger), or a TTP223 module at a pin (`module` true: high
while touched). `touched`: whether a finger is there; `count`: what a pad counts instead."""

from esp_node.virtual.adc import attach
from esp_node.virtual.device import Device
from esp_node.virtual.pins import line


class Pad(Device):
    """Faults: "garbage" (shorted: counts nothing), "busy" (ValueError)."""

    PHYSICAL = {"touched": False, "count": None}

    def touch(self):
        if self.fault == "garbage":
            return 0
        count = self.value("count")
        return count if count is not None else 300 if self.value("touched") else 1000


class Module(Device):
    """Faults: "absent" (a pull-down leaves low), "garbage" (stuck at high)."""

    PHYSICAL = {"touched": False}

    def __init__(self, settings):
        super().__init__(settings)
        self._end = line(settings["pin"]).driver()
        self.changed()

    def changed(self):
        self._end.set({"absent": None, "garbage": 1}[self.fault] if self.fault else int(self.value("touched")))


def create(settings):
    return Module(settings) if settings.get("module") else attach(Pad(settings), settings["pin"])
