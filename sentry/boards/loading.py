"""A MicroPython program onto a board, through its raw REPL: it runs from RAM, and nothing is written to the flash.

A program is one text: a line that imports names from a file beside it gives way to what is in that file. It must print
a line as soon as it runs, and come to an end, or be interrupted, when it is sent Ctrl-C and nothing after that.
"""

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING

from sentry.boards.faults import BoardFailed, NoAnswer
from sentry.boards.tty import Tty

if TYPE_CHECKING:
    from sentry.boards.board import Board

INTERRUPT, RAW, RUN = b"\x03", b"\x01", b"\x04"
QUIET_S = 0.5  # after the interrupt: with other bytes close behind it might be a part of a bitstream
ANSWER_S = 3.0  # longer than the 2 s after which a program gives half a bitstream up
PROMPT = "raw REPL"
RESET = "soft reboot"
STARTED = re.compile(r">?OK(.*)", re.DOTALL)
TRACEBACK = "Traceback (most recent call last):"
PLACE = re.compile(r'File "[^"]*", line (\d+)')
IMPORT = re.compile(r"^from (?:\w+\.)*(\w+) import [\w, ]+$", re.MULTILINE)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f]")


def read_program(path: Path) -> str:
    """BoardFailed when it is none that can be sent."""
    try:
        text = path.read_text(encoding="utf-8")

        def instead(line: re.Match[str]) -> str:
            beside = path.with_name(f"{line[1]}.py")
            return beside.read_text(encoding="utf-8") if beside.is_file() else line[0]

        program = IMPORT.sub(instead, text)
    except OSError as error:
        raise BoardFailed(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BoardFailed(f"{path}: is no text in UTF-8") from None
    if CONTROL.search(program):
        raise BoardFailed(f"{path}: has control characters, which the REPL would obey")
    return program


async def load(board: "Board", path: Path) -> None:
    """Until it runs on the board; BoardFailed says which step failed."""
    program = await asyncio.to_thread(read_program, path)
    settings = board.settings
    device = await board.until(lambda each: bool(each.tty or each.disk), settings.restart_s, "its tty did not appear")
    if device.tty is None:
        raise BoardFailed("it is in its bootloader; docs/boards-host.md says how MicroPython comes onto a board")
    with board.open() as tty:
        await _reach_prompt(tty, settings.bootloader_s)
        try:
            await tty.write(RUN)  # nothing typed before it: a soft reset, with an empty heap
            await tty.line_with(lambda line: RESET in line, settings.restart_s)
            await tty.line_with(lambda line: PROMPT in line, settings.restart_s)
            await tty.write(program.encode() + RUN)
            await _started(tty, path.name, settings.restart_s)
        except NoAnswer as error:
            raise BoardFailed(f"{path.name}: {error}") from None


async def _reach_prompt(tty: Tty, seconds: float) -> None:
    """Out of whatever runs, into the raw REPL."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while True:
        await tty.write(INTERRUPT)
        await asyncio.sleep(QUIET_S)
        tty.forget()
        await tty.write(RAW)
        try:
            await tty.line_with(lambda line: PROMPT in line, ANSWER_S)
            return
        except NoAnswer:
            if loop.time() > end:
                raise BoardFailed(
                    f"no REPL of MicroPython answers within {seconds:g} s; docs/boards-host.md says how it comes onto "
                    "a board"
                ) from None


async def _started(tty: Tty, name: str, seconds: float) -> None:
    said = STARTED.fullmatch(await tty.line_with(lambda line: bool(STARTED.fullmatch(line)), seconds))
    first = (said and said[1]) or await tty.line_with(bool, seconds)
    if TRACEBACK not in first:
        return
    at = ""
    while place := PLACE.match(line := await tty.line_with(bool, seconds)):
        at = f" (line {place[1]} of what was sent)"
    raise BoardFailed(f"{name}: {line}{at}")
