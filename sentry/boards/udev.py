"""Boards on the real USB, by udev. The only file that imports pyudev.

A board shows as a USB device with a tty below it while a firmware runs, with a disk below it while its bootloader does.
"""

import asyncio
import importlib
import logging
import os
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from typing import Any

from schema.message import Invalid
from sentry.boards.usb import VENDORS, Change, Device, Devices, Source, by_serial, changes, device, warn_once
from sentry.errors import SentryError

log = logging.getLogger(__name__)

SETTLE_S = 0.1  # a board that appears tells of its device, its interfaces and its tty one after the other
SUBSYSTEMS = ("usb", "tty", "block")
BUFFER_BYTES = 16 * 1024 * 1024  # of udev's own programs 128 MiB; a hub full of boards is far less


class UdevSource(Source):
    """SentryError when this host has no udev."""

    def __init__(self) -> None:
        try:
            self._udev: Any = importlib.import_module("pyudev")
            self._context: Any = self._udev.Context()
        except ImportError as error:
            raise SentryError(f"FARMHAND_BOARD_USB: udev cannot be used: {error}") from None

    async def watch(self, known: Devices) -> AsyncIterator[list[Change]]:
        monitor = self._udev.Monitor.from_netlink(self._context)
        for name in SUBSYSTEMS:
            monitor.filter_by(name)
        with suppress(OSError):  # only root may have more than the kernel's usual size
            monitor.set_receive_buffer_size(BUFFER_BYTES)
        monitor.start()
        loop, woken = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(monitor.fileno(), woken.set)
        before = dict(known)
        try:
            while True:
                after = self.look()
                if found := changes(before, after):
                    yield found
                before = after
                await woken.wait()
                await asyncio.sleep(SETTLE_S)
                drain(monitor)
                woken.clear()
        finally:
            loop.remove_reader(monitor.fileno())

    def look(self) -> dict[str, Device]:
        """What is plugged in now."""
        nodes: list[tuple[str, str]] = []
        for subsystem in ("tty", "block"):
            for each in self._context.list_devices(subsystem=subsystem):
                parent = each.find_parent("usb", "usb_device")
                # The bootloader's disk and its partition: the file system is on the partition.
                if parent is not None and each.device_node:
                    nodes.append((parent.sys_name, each.device_node))
        found = self._context.list_devices(subsystem="usb", DEVTYPE="usb_device")
        return together(((each.sys_name, _attributes(each)) for each in found), nodes)


def drain(monitor: Any) -> None:
    """What it told is in the look that follows, also what the kernel dropped because there was too much (ENOBUFS)."""
    try:
        while monitor.poll(timeout=0) is not None:
            pass
    except OSError as error:
        log.warning("udev told more than could be taken (%s); all devices are looked at", error)
        # pyudev sees that there is an error, and does not take it: the socket would be readable for ever.
        with socket.socket(fileno=os.dup(monitor.fileno())) as same:
            same.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


def together(found: Iterable[tuple[str, tuple[str, str, str]]], nodes: Iterable[tuple[str, str]]) -> dict[str, Device]:
    """Devices by serial. ``found``: port and (serial, vendor, product) of each USB device; ``nodes``: port and device
    file of each tty and disk. Pure."""
    ttys: dict[str, str] = {}
    disks: dict[str, str] = {}
    for port, node in nodes:
        kind = disks if node.startswith("/dev/sd") else ttys
        kind[port] = max(kind.get(port, ""), node) if kind is disks else min(kind.get(port, node), node)
    devices: list[Device] = []
    for port, (serial, vendor, product) in sorted(found):
        if vendor not in VENDORS:
            continue
        try:
            devices.append(device(serial, vendor, product, ttys.get(port), disks.get(port), port))
        except Invalid as error:
            warn_once(f"the USB device on port {port} ({vendor}:{product}) is not used: {error}")
    return by_serial(devices)


def _attributes(each: Any) -> tuple[str, str, str]:
    def read(name: str) -> str:
        with suppress(KeyError, UnicodeDecodeError):  # it may be gone already
            return str(each.attributes.asstring(name)).strip()
        return ""

    return read("serial"), read("idVendor"), read("idProduct")
