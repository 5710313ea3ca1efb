"""How full the local disks are: two fields per mount, named after where it is mounted."""

import os
import re

import psutil

from sentry.host_os import system
from sentry.reading import Reading, Scalar

# Images that are full by nature; network file systems, which can hang, psutil leaves out itself.
NO_DISKS = ("squashfs", "iso9660", "erofs")
MOST = 16


class Collector:
    def read(self) -> list[Reading]:
        values: dict[str, Scalar] = {}
        units: dict[str, str] = {}
        for place in _places()[:MOST]:
            try:
                usage = psutil.disk_usage(place)
            except OSError:  # unmounted meanwhile, or not ours to look into
                continue
            name = "root" if place == "/" else re.sub(r"[^A-Za-z0-9_]+", "-", place.strip("/"))
            name = name[-50:].strip("-") or "other"
            values |= {f"{name}_used": usage.percent, f"{name}_free": usage.free}
            units |= {f"{name}_used": "%", f"{name}_free": "B"}
        return [Reading("disk", values, units)] if values else []


def _places() -> list[str]:
    """Mount points, one per device (a container sees the same one mounted many times), and /, which Windows lacks."""
    shortest: dict[str, str] = {}
    for partition in psutil.disk_partitions(all=False):
        if partition.fstype not in NO_DISKS and os.path.isdir(partition.mountpoint):
            known = shortest.get(partition.device, partition.mountpoint)
            shortest[partition.device] = min(known, partition.mountpoint, key=len)
    return sorted({*shortest.values()} if system.WINDOWS else {"/", *shortest.values()})
