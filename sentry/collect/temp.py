"""Temperatures the kernel knows of: CPU, disks, board."""

import re
from typing import Any

import psutil

from sentry.reading import Reading, Scalar

MOST = 32


class Collector:
    def read(self) -> list[Reading]:
        values: dict[str, Scalar] = {}
        of_all: Any = getattr(psutil, "sensors_temperatures", dict)  # psutil knows of none on Windows
        for chip, sensors in of_all().items():
            for index, sensor in enumerate(sensors):
                label = sensor.label or str(index)
                name = re.sub(r"[^A-Za-z0-9_]+", "-", f"{chip}_{label}")[:60].strip("-")
                # -273 is what some drivers say for "nothing connected"
                if len(values) < MOST and -100 < sensor.current < 250:
                    values[name] = round(sensor.current, 1)
        return [Reading("temp", values, dict.fromkeys(values, "°C"))] if values else []
