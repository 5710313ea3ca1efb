"""From whatever a board runs to a firmware: 1200 baud, the bootloader's disk, the UF2 file, the new tty. A MicroPython
program takes another way: loading.py.
"""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from schema.message import Invalid
from sentry.boards.disk import copy_onto
from sentry.boards.faults import BoardFailed
from sentry.boards.loading import load
from sentry.boards.settings import PROGRAM
from sentry.boards.tty import touch_1200
from sentry.boards.uf2 import check_uf2
from sentry.boards.usb import Device

if TYPE_CHECKING:
    from sentry.boards.board import Board

TOUCHES = 3  # a board that is busy may miss one


async def flash(board: "Board", firmware: str) -> None:
    """Until the board is back with it; BoardFailed says which step failed."""
    path = board.settings.file_of(firmware)
    if path is None:
        raise BoardFailed(f"FARMHAND_BOARD_{firmware.upper()} names no firmware")
    if path.suffix == PROGRAM:
        await load(board, path)
    else:
        await _by_bootloader(board, firmware, path)
    board.firmware = firmware


async def _by_bootloader(board: "Board", firmware: str, path: Path) -> None:
    content = await asyncio.to_thread(_read, path)
    disk = (await _bootloader(board)).disk
    assert disk is not None
    await asyncio.to_thread(copy_onto, disk, f"{firmware}.uf2", content)
    await board.until(_runs, board.settings.restart_s, f"it did not come back with the firmware {firmware}")


async def _bootloader(board: "Board") -> Device:
    """The board in its bootloader, by as many touches as it takes."""
    problem = "the bootloader's disk did not appear"
    for _ in range(TOUCHES):
        if (device := board.device) and device.tty:
            try:
                await asyncio.to_thread(touch_1200, device.tty)
            except BoardFailed as error:  # it may be on its way into the bootloader
                problem = f"the bootloader's disk did not appear ({error})"
        with suppress(BoardFailed):
            return await board.until(_in_bootloader, board.settings.bootloader_s / TOUCHES, problem)
    raise BoardFailed(f"{problem} within {board.settings.bootloader_s:g} s")


def _in_bootloader(device: Device) -> bool:
    return device.disk is not None and device.tty is None  # a firmware may have a disk of its own


def _runs(device: Device) -> bool:
    return device.tty is not None


def _read(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        check_uf2(content)
    except OSError as error:
        raise BoardFailed(f"{path}: {error.strerror}") from None
    except Invalid as error:
        raise BoardFailed(f"{path}: {error.problem}") from None
    return content
