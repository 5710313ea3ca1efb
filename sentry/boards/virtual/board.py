"""One virtual board: which USB device it is at the moment, and how it goes from one to the other."""

import asyncio
import contextlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from sentry.boards.virtual import firmware, uf2
from sentry.boards.virtual.evaluate import Evaluator
from sentry.boards.virtual.programs import FAULTS, PROGRAMS, Running
from sentry.boards.virtual.tty import LOOK_S, Closed, Tty

APPLICATION = {"vendor": "1209", "product": "b1c0"}
BOOTLOADER = {"vendor": "2e8a", "product": "000f"}
INFO = "UF2 Bootloader v1.0\r\nModel: Raspberry Pi RP2350 (virtual)\r\nBoard-ID: RP2350\r\n"
Stamp = tuple[str, int, int]
LARGEST_FILE = uf2.MOST_BLOCKS * uf2.BLOCK_BYTES


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds: ``count_s`` of one evaluation at least; ``restart_s`` off the bus between two devices."""

    count_s: float = 1.0
    restart_s: float = 0.2


class Board:
    """``run`` is its life while it has power. It is on the bus as `<bus>/<serial>/device.json`. ``deeds``: what may be
    done to this kind of board besides unplugging it."""

    deeds: ClassVar[tuple[str, ...]] = ("heal", *FAULTS)

    def __init__(self, bus: Path, serial: str, evaluator: Evaluator, pace: Pace) -> None:
        self.serial, self.evaluator, self.pace = serial, evaluator, pace
        self.folder = bus / serial
        self.installed: str | None = "default"
        """Which of our firmwares is in flash; None: some other, which says nothing."""
        self.faults: set[str] = set()

    async def run(self) -> None:
        self._unplug()  # what a killed predecessor left
        try:
            while True:
                await self._application()
                await asyncio.sleep(self.pace.restart_s)
                if "no-bootloader-disk" in self.faults:
                    await asyncio.Event().wait()
                await self._bootloader()
                await asyncio.sleep(self.pace.restart_s)
        finally:
            self.faults.discard("hang")
            self._unplug()

    async def _application(self) -> None:
        """Until it is touched."""
        tty = Tty()
        program = asyncio.create_task(self._program(tty))
        try:
            self._plug(APPLICATION, tty=tty.name)
            while not tty.touched() or "hang" in self.faults:
                await asyncio.sleep(LOOK_S)
                if "hang" in self.faults:
                    program.cancel()
        finally:
            program.cancel()
            await asyncio.gather(program, return_exceptions=True)
            tty.close()
            self._unplug()

    async def _program(self, tty: Tty) -> None:
        running = Running(self.serial, tty, self.evaluator, self.pace.count_s, self.faults)
        while program := PROGRAMS.get(self.installed or ""):
            await tty.opened()
            with contextlib.suppress(Closed):
                await program(running)
            await asyncio.sleep(LOOK_S)

    async def _bootloader(self) -> None:
        """Until somebody has copied a firmware for this chip onto its disk."""
        disk = self.folder / "disk"
        try:
            disk.mkdir(parents=True)
            (disk / "INFO_UF2.TXT").write_text(INFO)
            self._plug(BOOTLOADER, disk=str(disk))
            seen: set[Stamp] = set()
            while (image := _image_on(disk, seen)) is None:
                await asyncio.sleep(LOOK_S)
            self.installed = firmware.kind_of(image.content)
        finally:
            self._unplug()

    def _plug(self, device: dict[str, str], tty: str | None = None, disk: str | None = None) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / "device.json.part"
        part.write_text(json.dumps({**device, "serial": self.serial, "tty": tty, "disk": disk}))
        part.replace(self.folder / "device.json")

    def _unplug(self) -> None:
        # The device first: who sees the folder half gone must not find it.
        (self.folder / "device.json").unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def _image_on(disk: Path, seen: set[Stamp]) -> uf2.Image | None:
    """The first whole one; a wrong file lies there, ignored, as on the real one. ``seen``: what needs no other look."""
    for path in sorted(disk.glob("*.[uU][fF]2")):
        with contextlib.suppress(OSError, uf2.NotForUs):
            stat = path.stat()
            stamp = path.name, stat.st_size, stat.st_mtime_ns
            if stamp in seen or stat.st_size > LARGEST_FILE:
                continue
            seen.add(stamp)
            if image := uf2.parse(path.read_bytes()):
                return image
    return None
