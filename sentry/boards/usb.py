"""What a plugged board is, and how one learns of it. A `Source` tells; udev.py and folder.py are the two there are."""

import logging
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from schema.message import Invalid, is_id

log = logging.getLogger(__name__)

VENDORS = ("2e8a", "1209")
"""Raspberry Pi (also the bootloader's), pid.codes (the pico2-ice's)"""
HEX = re.compile(r"[0-9a-f]{4}")


@dataclass(frozen=True, slots=True)
class Device:
    """``serial``: in lower case, an id; ``tty``: of the firmware that runs; ``disk``: of the bootloader, a block device
    or a folder; ``port``: where it is plugged, `1-1.4` as Linux names it, "" when not known."""

    serial: str
    vendor: str
    product: str
    tty: Path | None = None
    disk: Path | None = None
    port: str = ""


def device(
    serial: object, vendor: object, product: object, tty: object = None, disk: object = None, port: object = ""
) -> Device:
    """A device from what a stranger wrote; Invalid names the field."""
    texts = {"serial": serial, "vendor": vendor, "product": product}
    for name, text in texts.items():
        if not isinstance(text, str):
            raise Invalid(name, "must be text")
    lower = {name: str(text).lower() for name, text in texts.items()}
    is_id("serial", lower["serial"])
    if lower["vendor"] not in VENDORS:
        raise Invalid("vendor", "must be one of " + ", ".join(VENDORS))
    if not HEX.fullmatch(lower["product"]):
        raise Invalid("product", "must be four hexadecimal digits")
    for name, path in (("tty", tty), ("disk", disk), ("port", port)):
        if path is not None and (not isinstance(path, str) or "\0" in path):
            raise Invalid(name, "must be a path or null")
    places = [Path(path) if isinstance(path, str) and path else None for path in (tty, disk)]
    return Device(lower["serial"], lower["vendor"], lower["product"], *places, port=str(port or ""))


@cache
def warn_once(text: str) -> None:
    """Of what is seen again at each look."""
    log.warning("%s", text)


def by_serial(found: Iterable[Device]) -> dict[str, Device]:
    """Of two with one serial number the first: nobody could say which of them he means."""
    devices: dict[str, Device] = {}
    for each in found:
        if devices.setdefault(each.serial, each) is not each:
            warn_once(f"{each.serial} is plugged in twice; only the one at {_place(devices[each.serial])} is used")
    return devices


def _place(device: Device) -> str:
    return device.port or str(device.tty or device.disk)


Devices = Mapping[str, Device]


@dataclass(frozen=True, slots=True)
class Change:
    """``device``: as it is now; of a removed one as it was."""

    what: Literal["added", "changed", "removed"]
    device: Device


def changes(before: Devices, after: Devices) -> list[Change]:
    """What has to be told of two looks, removals first. Pure."""
    gone = [Change("removed", each) for serial, each in before.items() if serial not in after]
    come = [Change("added", each) for serial, each in after.items() if serial not in before]
    other = [Change("changed", each) for serial, each in after.items() if before.get(serial, each) != each]
    return gone + come + other


class Source(ABC):
    @abstractmethod
    def watch(self, known: Devices) -> AsyncIterator[list[Change]]:
        """First what is not as it is known, then what changes, as long as one asks."""


def source(usb: str, look_s: float) -> Source:
    """What the setting `usb` names."""
    if usb == "udev":
        from sentry.boards.udev import UdevSource

        return UdevSource()
    from sentry.boards.folder import FolderSource

    return FolderSource(Path(usb), look_s)
