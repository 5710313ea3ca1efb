"""The other end of a board's serial port, as a program on a host has it."""

import os
import re
import select
import termios
import time
import tty
from types import TracebackType

WAIT_S = 60.0


class Port:
    """``with`` closes it."""

    def __init__(self, name: str, speed: int = termios.B115200) -> None:
        self.handle = os.open(name, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.handle)
        settings = termios.tcgetattr(self.handle)
        settings[4] = settings[5] = speed
        termios.tcsetattr(self.handle, termios.TCSANOW, settings)
        self.said = ""

    def __enter__(self) -> "Port":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self.handle)

    def write(self, content: bytes, piece: int = 4096) -> None:
        left = memoryview(content)
        while left:
            left = left[os.write(self.handle, left[:piece]) :]

    def until(self, pattern: str, seconds: float = WAIT_S) -> re.Match[str]:
        """The first match in what is said from now on, or was not looked at yet. EOFError when the board is gone."""
        ends = time.monotonic() + seconds
        while not (match := re.search(pattern, self.said)):
            left = ends - time.monotonic()
            assert left > 0, f"no {pattern!r} within {seconds} s, but {self.said!r}"
            if select.select([self.handle], [], [], left)[0]:
                found = os.read(self.handle, 65_536)
                if not found:
                    raise EOFError("the board is gone")
                self.said += found.decode()
        self.said = self.said[match.end() :]
        return match


def touch(name: str) -> None:
    with Port(name, termios.B1200):
        pass
