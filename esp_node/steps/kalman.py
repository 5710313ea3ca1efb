"""Kalman filter of one quantity that wanders (random walk): the estimate, weighted by how certain it and the
measurement are."""

from esp_node.steps._options import finer, number, take
from esp_node.steps._step import Step

NAME = "kalman"
OPTIONS = {"process_variance": ..., "measurement_variance": ...}


class Kalman(Step):
    name = NAME
    _estimate = None

    def __init__(self, process, measurement):
        self._process = process
        self._measurement = self._variance = measurement

    def take(self, ts, value):
        if self._estimate is None:
            self._estimate = value
        else:
            variance = self._variance + self._process
            gain = variance / (variance + self._measurement)
            self._estimate += gain * (value - self._estimate)
            self._variance = (1 - gain) * variance
        self.emit(ts, self._estimate)


def create(options, fields=("x",)):
    """Options: process_variance (how far the quantity wanders from one value to the next) and measurement_variance
    (noise of the sensor), both in squares of the unit. The first value is the first estimate, as certain as a
    measurement."""
    given = take(options, OPTIONS)
    return Kalman(number(given, "process_variance", 0), number(given, "measurement_variance", 0))


describe = finer
