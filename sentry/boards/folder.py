"""A folder in place of a USB bus: `<folder>/<serial>/device.json` is a device that is plugged in. Who makes it replaces
the file in one step at each change of the device, and removes the folder to unplug it.
"""

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

from schema.message import Invalid
from sentry.boards.usb import Change, Device, Devices, Source, by_serial, changes, device

log = logging.getLogger(__name__)

Stamp = tuple[int, int, int]


class FolderSource(Source):
    """Looks every ``look_s``; reads only what has changed."""

    def __init__(self, folder: Path, look_s: float) -> None:
        self._folder, self._look_s = folder, look_s
        self._seen: dict[str, tuple[Stamp, Device | None]] = {}

    async def watch(self, known: Devices) -> AsyncIterator[list[Change]]:
        before = dict(known)
        while True:
            after = self.look()
            if found := changes(before, after):
                yield found
            before = after
            await asyncio.sleep(self._look_s)

    def look(self) -> dict[str, Device]:
        """What is plugged in now."""
        seen: dict[str, tuple[Stamp, Device | None]] = {}
        for path in self._paths():
            try:
                stat = path.stat()
                stamp = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
                known = self._seen.get(path.parent.name)
                found = known[1] if known and known[0] == stamp else _read(path)
            except OSError:  # unplugged meanwhile
                continue
            seen[path.parent.name] = stamp, found
        self._seen = seen
        return by_serial(each for _, each in seen.values() if each)

    def _paths(self) -> list[Path]:
        try:
            with os.scandir(self._folder) as found:
                return sorted(Path(each.path, "device.json") for each in found)
        except OSError:  # no bus, no devices; it may come
            return []


def _read(path: Path) -> Device | None:
    text = path.read_bytes()
    try:
        body: Any = json.loads(text)
        if not isinstance(body, dict):
            raise Invalid("device", "must be an object")
        told = cast(dict[str, object], body)
        names = ("serial", "vendor", "product", "tty", "disk", "port")
        return device(*(told.get(name) for name in names))
    except ValueError as error:  # Invalid is one
        log.warning("%s is not used: %s", path, error)
        return None
