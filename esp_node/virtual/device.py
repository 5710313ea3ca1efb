"""What all models of this folder share: physical quantities and a fault, both settable while the board runs."""

import math

from esp_node.virtual import clock


class Device:
    """PHYSICAL {name: default} of a subclass names its quantities. `values`: numbers, functions of the seconds since
    power-on, or, for a description in JSON, waves {"mean": number, "swing": number, "period_s": number}. `fault`:
    None, "absent", "garbage", or what else the subclass knows."""

    PHYSICAL = {}

    def __init__(self, settings):
        self.values = dict(self.PHYSICAL)
        self.fault = None
        self._take(settings)

    def set(self, settings):
        """Take the physical quantities and the fault that the dict `settings` names; the rest stays."""
        self._take(settings)
        self.changed()

    def changed(self):
        """Called after each set()."""

    def value(self, name):
        """The quantity `name` now."""
        value = self.values[name]
        if isinstance(value, dict):
            turns = clock.now() / 1000000 / value["period_s"]
            return value["mean"] + value["swing"] * math.sin(2 * math.pi * turns)
        return value(clock.now() / 1000000) if callable(value) else value

    def _take(self, settings):
        self.fault = settings.get("fault", self.fault)
        for name in self.values:
            self.values[name] = settings.get(name, self.values[name])
