"""NVIDIA GPUs by NVML, each a device of its own; needs the extra `farmhand[gpu]` and the driver."""

import importlib
from typing import Any

from sentry.reading import Reading, Scalar

UNITS = {"load": "%", "mem_used": "B", "mem_total": "B", "temp": "°C", "power": "W", "fan": "%"}


class Collector:
    def __init__(self) -> None:
        self._nvml: Any = None
        try:
            nvml: Any = importlib.import_module("pynvml")
            nvml.nvmlInit()
            self._nvml = nvml
        except Exception:  # no library, no driver, or no permission: a host without GPUs
            return

    def read(self) -> list[Reading]:
        if self._nvml is None:
            return []
        return [self._one(index) for index in range(self._nvml.nvmlDeviceGetCount())]

    def _one(self, index: int) -> Reading:
        nvml = self._nvml
        card = nvml.nvmlDeviceGetHandleByIndex(index)
        memory = _or_none(nvml, nvml.nvmlDeviceGetMemoryInfo, card)
        load = _or_none(nvml, nvml.nvmlDeviceGetUtilizationRates, card)
        power = _or_none(nvml, nvml.nvmlDeviceGetPowerUsage, card)
        values: dict[str, Scalar] = {
            "load": load and load.gpu,
            "mem_used": memory and memory.used,
            "mem_total": memory and memory.total,
            "temp": _or_none(nvml, nvml.nvmlDeviceGetTemperature, card, 0),
            "power": None if power is None else power / 1000,
            "fan": _or_none(nvml, nvml.nvmlDeviceGetFanSpeed, card),
        }
        return Reading("gpu", values, UNITS, f"gpu-{index}")


def _or_none(nvml: Any, ask: Any, *arguments: Any) -> Any:
    """Not every card knows everything (a passive one has no fan)."""
    try:
        return ask(*arguments)
    except nvml.NVMLError:
        return None
