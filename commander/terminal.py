"""A terminal that gives single keys."""

import os
import select
import sys
from types import TracebackType

ESCAPE = "\x1b"
_SEQUENCE_S = 0.05


def is_terminal() -> bool:
    """Whether single keys can be had: not on Windows, not from a pipe."""
    return os.name == "posix" and sys.stdin.isatty()


class Terminal:
    """Standard input without its lines and its echo, as long as the `with` block lasts."""

    def __enter__(self) -> "Terminal":
        import termios
        import tty

        self._file = sys.stdin.fileno()
        self._before = termios.tcgetattr(self._file)
        tty.setcbreak(self._file)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        import termios

        termios.tcsetattr(self._file, termios.TCSADRAIN, self._before)

    def key(self, wait_s: float | None = None) -> str:
        """The next key; "" after `wait_s` without one, or at the end of input. Of an arrow key: all of its sequence."""
        if not self._ready(wait_s):
            return ""
        key = os.read(self._file, 1)
        while key[:1] == ESCAPE.encode() and self._ready(_SEQUENCE_S):
            key += os.read(self._file, 1)
        return key.decode("latin-1")

    def number(self, what: str) -> int | None:
        """Ask for a number; None when return, Escape or Ctrl-D comes instead."""
        print(f"{what}: ", end="", flush=True)
        digits = ""
        while True:
            key = self.key()
            if key.isdecimal():
                digits += key
                print(key, end="", flush=True)
            elif key in ("\x7f", "\b") and digits:
                digits = digits[:-1]
                print("\b \b", end="", flush=True)
            elif key in ("\r", "\n", "", ESCAPE, "\x04"):
                print()
                return int(digits) if digits and key in ("\r", "\n") else None

    def _ready(self, wait_s: float | None) -> bool:
        return bool(select.select([self._file], [], [], wait_s)[0])
