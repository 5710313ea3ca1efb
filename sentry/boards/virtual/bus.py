"""Boards on a folder that stands for a USB bus, and a socket in it by which a person or a test unplugs and breaks them.

<bus>/<serial>/device.json  a device that is plugged in; schema: the sentry's setting FARMHAND_BOARD_USB
<bus>/firmware/<kind>.uf2   the images that these boards know
<bus>/answers/              what bitstreams gave, by sha256
<bus>/control               lines of JSON: {"do": one of DEEDS, "serial"} -> {"ok"} or {"error"}
"""

import asyncio
import json
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

from sentry.boards.virtual import firmware
from sentry.boards.virtual.board import Board, Pace
from sentry.boards.virtual.evaluate import CLOCK_HZ, GATE_MS, Evaluator
from sentry.boards.virtual.micropython import MicroPythonBoard
from sentry.boards.virtual.programs import FAULTS

DEEDS = ("list", "unplug", "plug", "power-cycle", "heal", *FAULTS, "crash")
"""heal: none of the faults holds any longer; a board that hangs needs its power cut, though."""
MODELS = {"uf2": Board, "micropython": MicroPythonBoard}
"""What is installed on the boards: firmware of their bootloader, or the maker's MicroPython."""
MOST = 256
FIRST_SERIAL = 0xE660_0000_0000_000A


class Taken(Exception):
    """Another bus runs in this folder."""


class NotDone(Exception):
    """What was asked of a bus cannot be done; the text says why."""


def serials(count: int) -> list[str]:
    return [f"{FIRST_SERIAL + number:016X}" for number in range(count)]


class Bus:
    """``async with`` plugs all boards in, and takes them out in the end."""

    def __init__(
        self,
        folder: Path,
        count: int,
        pace: Pace | None = None,
        gate_ms: int = GATE_MS,
        clock_hz: int = CLOCK_HZ,
        model: str = "uf2",
    ) -> None:
        self.folder = folder.absolute()
        evaluator = Evaluator(self.folder / "answers", gate_ms, clock_hz)
        self.boards = {each: MODELS[model](self.folder, each, evaluator, pace or Pace()) for each in serials(count)}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._door: asyncio.Server | None = None

    async def __aenter__(self) -> "Bus":
        firmware.write_all(self.folder / "firmware")
        path = control_of(self.folder)
        if _answers(path):
            raise Taken(f"{self.folder}: another bus runs here")
        path.unlink(missing_ok=True)
        self._door = await asyncio.start_unix_server(self._serve, path)
        for serial in self.boards:
            self.plug(serial)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._door:
            self._door.close()
            control_of(self.folder).unlink(missing_ok=True)
        await asyncio.gather(*(self.unplug(serial) for serial in self.boards))

    def plug(self, serial: str) -> None:
        if serial not in self._running:
            self._running[serial] = asyncio.create_task(self.boards[serial].run())

    async def unplug(self, serial: str) -> None:
        if task := self._running.pop(serial, None):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def do(self, deed: str, serial: str) -> None:
        """Raises NotDone."""
        if deed not in DEEDS:
            raise NotDone(f"do: must be one of {', '.join(DEEDS)}")
        board = self.boards.get(serial.upper())
        if board is None:
            raise NotDone(f"serial: must be one of {', '.join(self.boards)}")
        if deed in ("unplug", "plug", "power-cycle"):
            if deed != "plug":
                await self.unplug(board.serial)
            if deed != "unplug":
                self.plug(board.serial)
        elif deed not in board.deeds:
            raise NotDone(f"do: {deed} is nothing for a board of this model")
        elif isinstance(board, MicroPythonBoard):
            board.crash()
        elif deed == "heal":
            board.faults.clear()
        else:
            board.faults.add(deed)

    def told(self) -> dict[str, Any]:
        return {
            serial: {
                "plugged": serial in self._running,
                "firmware": board.installed or "other",
                "faults": sorted(board.faults),
            }
            for serial, board in self.boards.items()
        }

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
                await writer.drain()
        writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            asked: dict[str, str] = json.loads(line)
            if asked["do"] == "list":
                return {"ok": True, "boards": self.told()}
            await self.do(asked["do"], asked["serial"])
        except NotDone as error:
            return {"error": str(error)}
        except (ValueError, KeyError, TypeError, AttributeError):
            return {"error": "must be an object with do and serial"}
        return {"ok": True}


def control_of(folder: Path) -> Path:
    return folder / "control"


def ask(folder: Path, deed: str, serial: str = "") -> dict[str, Any]:
    """Of a bus that runs in another process. Raises NotDone."""
    with socket.socket(socket.AF_UNIX) as door:
        door.settimeout(30)
        try:
            door.connect(str(control_of(folder)))
            door.sendall(json.dumps({"do": deed, "serial": serial}).encode() + b"\n")
            answer: dict[str, Any] = json.loads(door.makefile().readline())
        except (OSError, ValueError):
            raise NotDone(f"no bus runs in {folder}") from None
    if "error" in answer:
        raise NotDone(answer["error"])
    return answer


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as door:
        return door.connect_ex(str(path)) == 0
