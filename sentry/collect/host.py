"""CPU, load, memory, uptime of the host."""

import time

import psutil

from sentry.reading import Reading

UNITS = {
    "cpu": "%", "cores": "", "load1": "", "load5": "", "load15": "", "mem_used": "%",
    "mem_total": "B", "swap_used": "%", "uptime_s": "s",
}  # fmt: skip


class Collector:
    def __init__(self) -> None:
        psutil.cpu_percent()  # the first call has nothing to compare with and gives 0

    def read(self) -> list[Reading]:
        load1, load5, load15 = psutil.getloadavg()
        memory = psutil.virtual_memory()
        values = {
            "cpu": psutil.cpu_percent(),
            "cores": psutil.cpu_count() or 1,
            "load1": round(load1, 2),
            "load5": round(load5, 2),
            "load15": round(load15, 2),
            "mem_used": memory.percent,
            "mem_total": memory.total,
            "swap_used": psutil.swap_memory().percent,
            "uptime_s": int(time.time() - psutil.boot_time()),
        }
        return [Reading("host", values, UNITS)]
