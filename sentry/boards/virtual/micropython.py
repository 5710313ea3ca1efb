"""A virtual board on which MicroPython is installed: the sentry loads its programs through the REPL. A board that is no
other device in between: it has no bootloader here, as MicroPython does not listen for 1200 baud."""

import asyncio
from pathlib import Path
from typing import Any

from sentry.boards.virtual.board import APPLICATION, Board, Pace
from sentry.boards.virtual.evaluate import Count, Evaluator, NotFinished, Refused
from sentry.boards.virtual.interpreter import Crashed, Interpreter
from sentry.boards.virtual.noise import waveform
from sentry.boards.virtual.tools import NoTool
from sentry.boards.virtual.tty import Tty


class MicroPythonBoard(Board):
    deeds = ("crash",)

    def __init__(self, bus: Path, serial: str, evaluator: Evaluator, pace: Pace) -> None:
        super().__init__(bus, serial, evaluator, pace)
        self.installed = "micropython"
        self._counted = Count(0, 0)
        self._interpreter: Interpreter | None = None

    async def run(self) -> None:
        self._unplug()
        try:
            while True:
                await self._until_crash()
                await asyncio.sleep(self.pace.restart_s)
        finally:
            self._unplug()

    def crash(self) -> None:
        """As when the interpreter meets a fault of its own: the board restarts, and what ran on it is gone."""
        if self._interpreter:
            self._interpreter.kill()

    async def _until_crash(self) -> None:
        tty = Tty()
        self._interpreter = Interpreter(tty, self._answer)
        try:
            self._plug(APPLICATION, tty=tty.name)
            await self._interpreter.run()
        except Crashed:
            pass
        finally:
            tty.close()
            self._unplug()

    async def _answer(self, asked: dict[str, Any], content: bytes) -> dict[str, Any]:
        """What the board's modules want to know of the circuit."""
        if asked["do"] == "rises":
            return {"each_s": self._counted.pulses}
        try:
            self._counted = await self.evaluator.at(asked["mhz"] * 1_000_000).count(content)
        except (Refused, NotFinished, NoTool) as error:
            return {"error": str(error)}
        return {"samples": waveform(self._counted.pulses, content, self.serial)}
