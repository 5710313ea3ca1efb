"""How values are measured."""

from esp_node.clock import paced_ms
from esp_node.scheduler import Task


class Reading(Task):
    """The task of a sensor: reads it, and hands its values to whoever wants them, sink(ts, values)."""

    def __init__(self, name, interval, sensor, sinks):
        self.name = name
        self.interval = interval
        self.sensor = sensor
        self.sinks = sinks

    def run(self):
        values = self.sensor.get()
        ts = paced_ms()  # steps and frames need a clock that goes on, also while nobody knows the time
        for sink in self.sinks:
            sink(ts, values)
