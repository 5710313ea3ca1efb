"""A board's tty, in lines, without a thread: asyncio watches the file. What goes wrong is a BoardFailed."""

import asyncio
import errno
import os
import termios
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from sentry.boards.console import Console
from sentry.boards.faults import BoardFailed, NoAnswer

T = TypeVar("T")
LONGEST_LINE = 16_384
LINES_KEPT = 1000  # of a board that talks while nobody listens, the newest


class Tty:
    """Open and raw; ``with`` closes it. All that is said and sent goes to the console as well."""

    def __init__(self, path: Path, console: Console) -> None:
        self._console = console
        self._loop = asyncio.get_running_loop()
        self._rest = b""
        self._lines: asyncio.Queue[str] = asyncio.Queue(LINES_KEPT)
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._handle = _open(path)
        self._loop.add_reader(self._handle, self._on_readable)

    def __enter__(self) -> "Tty":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._handle >= 0:
            self._loop.remove_reader(self._handle)
            self._loop.remove_writer(self._handle)
            with suppress(OSError, termios.error):
                termios.tcflush(self._handle, termios.TCIOFLUSH)  # or the close waits until a board that hangs takes it
            os.close(self._handle)
            self._handle = -1
            self._drop_rest()
            if not self._over.done():
                self._over.set_result(None)

    def forget(self) -> None:
        """What was said so far does not count."""
        self._drop_rest()
        while not self._lines.empty():
            self._lines.get_nowait()

    async def line(self) -> str:
        """The next line, without its end."""
        if not self._lines.empty():
            return self._lines.get_nowait()
        return await self.unless_gone(self._lines.get())

    async def line_with(self, fits: Callable[[str], bool], seconds: float) -> str:
        """The next line that fits; NoAnswer when there is none in time, with the last that was said."""
        last = ""
        try:
            async with asyncio.timeout(seconds):
                while not fits(last := await self.line()):
                    pass
                return last
        except TimeoutError:
            said = f"; it last said {last[:100]!r}" if last else ""
            raise NoAnswer(f"no answer within {seconds:g} s{said}") from None

    async def write(self, content: bytes) -> None:
        """All of it, as fast as the board takes it."""
        left = memoryview(content)
        try:
            while left:
                try:
                    left = left[os.write(self._handle, left) :]
                except BlockingIOError:
                    await self.unless_gone(self._writable())
                except OSError as error:
                    raise _gone(error) from None
        finally:
            self._console.sent(content[: len(content) - len(left)], len(content))

    async def _writable(self) -> None:
        free: asyncio.Future[None] = self._loop.create_future()

        def on_writable() -> None:
            if not free.done():
                free.set_result(None)

        self._loop.add_writer(self._handle, on_writable)
        try:
            await free
        finally:
            if self._handle >= 0:
                self._loop.remove_writer(self._handle)

    async def unless_gone(self, wanted: Awaitable[T]) -> T:
        """What is wanted; BoardFailed when the tty goes away before."""
        waiting = asyncio.ensure_future(wanted)
        try:
            await asyncio.wait({waiting, self._over}, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                raise BoardFailed("its tty is gone")
            return waiting.result()
        finally:
            waiting.cancel()

    def _on_readable(self) -> None:
        try:
            found = os.read(self._handle, 65_536)
        except BlockingIOError:
            return
        except OSError:
            found = b""
        if not found:  # unplugged, or the other end of a pseudo-terminal is closed
            self._loop.remove_reader(self._handle)
            if not self._over.done():
                self._over.set_result(None)
            return
        *lines, self._rest = (self._rest + found).replace(b"\r", b"\n").split(b"\n")
        self._rest = self._rest[-LONGEST_LINE:]
        for line in lines:
            if text := _text(line):
                self._console.said(text)
                if self._lines.full():
                    self._lines.get_nowait()
                self._lines.put_nowait(text)

    def _drop_rest(self) -> None:
        if text := _text(self._rest):
            self._console.said(text)
        self._rest = b""


def _text(line: bytes) -> str:
    text = line.replace(b"\0", b"\xff").decode(errors="replace").strip()  # no message holds a NUL
    return text if len(text) <= LONGEST_LINE else text[:LONGEST_LINE] + "…"  # one that is cut is no other answer


def touch_1200(path: Path) -> None:
    """Open at 1200 baud and close: into the bootloader. BoardFailed when the tty is not there."""
    handle = _open(path, termios.B1200)
    os.close(handle)


def _open(path: Path, speed: int = termios.B115200) -> int:
    try:
        handle = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _gone(error) from None
    try:
        _set_raw(handle, speed)
    except (OSError, termios.error) as error:
        os.close(handle)
        raise _gone(error) from None
    return handle


def _set_raw(handle: int, speed: int) -> None:
    """Bytes as they are, no echo, and DTR falls at the close, which the bootloader waits for."""
    special = termios.tcgetattr(handle)[6]
    control = termios.CS8 | termios.CREAD | termios.CLOCAL | termios.HUPCL
    special[termios.VMIN], special[termios.VTIME] = 1, 0
    termios.tcsetattr(handle, termios.TCSANOW, [0, 0, control, 0, speed, speed, special])


def _gone(error: Exception) -> BoardFailed:
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM):
        return BoardFailed("its tty may not be opened; docs/boards-host.md says which udev rule is missing")
    return BoardFailed("its tty is gone")
