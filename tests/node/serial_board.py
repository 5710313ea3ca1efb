"""A board on a serial port, without the board: MicroPython's Unix port behind a pseudo-terminal.

The interpreter itself speaks the serial protocol (prompt, raw REPL, raw paste). Here is what the hardware does around
it: a reset, soft or hard, is a new interpreter with an empty heap; Ctrl-C interrupts; what is typed meanwhile waits.
"""

import contextlib
import os
import select
import subprocess
import sys
import termios
import threading
import tty
from collections import deque
from collections.abc import Callable
from pathlib import Path

from tests.conftest import program
from tests.support.waiting import wait_until

ROM = Path(__file__).parent / "board" / "rom.py"
RAW_BANNER, FRIENDLY_BANNER, PROMPT = b"raw REPL; CTRL-B", b'Type "help()"', b">>> "
CTRL_A, CTRL_C = 1, 3
MOST_UNREAD = 16384
HEAP = "67k"  # 64, and what rom.py takes: the firmware of a board keeps that elsewhere


class SerialBoard:
    """`flash`: a folder that is the board's flash, or a file of whole 4 KB blocks with LittleFS. `port`: name it to
    mpremote. `held`: pins that are low, as a button held down makes them; read at each reset."""

    def __init__(self, folder: Path, flash: Path, heap: str = HEAP, held: str = ""):
        self.flash, self.heap, self.held = flash, heap, held
        self.port = str(folder / "ttyBOARD")
        self.printed = bytearray()  # all that the board ever wrote
        self.resets: list[str] = []
        self._told = folder / "reset"
        self._outer, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._outer, False)
        Path(self.port).symlink_to(os.ttyname(self._slave))
        self._unread = bytearray()
        self._typed: deque[int] = deque()
        self._in_raw = False
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._live)
        self._thread.start()

    def wait_for(self, text: str, since: int = 0) -> None:
        wait_until(f"the board to print {text!r}", lambda: text.encode() in self.printed[since:])

    def stop(self) -> None:
        self._ended.set()
        if self._process:
            self._process.kill()
        self._thread.join()
        os.close(self._outer)
        os.close(self._slave)
        Path(self.port).unlink()

    def _live(self) -> None:
        while not self._ended.is_set() and len(self.resets) < 100:
            self._one_life()
            hard = self._told.exists() and self._told.read_text() == "reset"
            self.resets.append("hard" if hard else "soft")
            self._in_raw = self._in_raw and not hard
            self._interrupted = False
            if hard:
                self._typed.clear()  # what waited in the chip's buffer is gone with it
            if not hard:
                self._print(b"MPY: soft reboot\r\n")

    def _one_life(self) -> None:
        inner, slave = os.openpty()
        _as_while_a_program_runs(slave)
        self._told.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [str(program("micropython")), "-X", f"heapsize={self.heap}", "-i", str(ROM), str(self.flash),
             str(int(self._in_raw))],
            stdin=slave, stdout=slave, stderr=slave, cwd="/",
            env={**os.environ, "FARMHAND_RESET": str(self._told), "FARMHAND_HELD": self.held},
        )  # fmt: skip
        os.close(slave)
        if self._ended.is_set():
            self._process.kill()
        with contextlib.suppress(OSError):  # EIO: the interpreter has ended
            self._start(inner)
            while True:
                self._relay(inner)
        self._process.wait()
        os.close(inner)

    def _start(self, inner: int) -> None:
        said = b""
        while not said.endswith(b"rom\n"):
            said += os.read(inner, 1)
        if self._in_raw:  # the interpreter begins with a friendly prompt, a board where it was
            said = b""
            while not said.endswith(PROMPT):
                said += os.read(inner, 1)
            self._print(said[: said.rfind(b"MicroPython")])
            os.write(inner, bytes([CTRL_A]))

    def _relay(self, inner: int) -> None:
        writable = [self._outer] if self._unread else []
        readable, writable, _ = select.select([inner, self._outer], writable, [], 0.01 if self._typed else 0.2)
        if self._outer in readable:
            self._typed.extend(os.read(self._outer, 4096))
        if inner in readable:
            self._print(os.read(inner, 4096))
        if writable:
            del self._unread[: os.write(self._outer, self._unread)]
        self._type(inner)

    def _type(self, inner: int) -> None:
        while self._typed:
            runs = bool(termios.tcgetattr(inner)[3] & termios.ISIG)
            if self._interrupted and runs:
                return  # until the prompt is there: what is typed meanwhile waits in a board's buffer
            self._interrupted = False
            byte = self._typed.popleft()
            if byte == CTRL_C and runs:
                self._interrupted = True
                assert self._process
                self._process.send_signal(2)
            else:
                os.write(inner, bytes([byte]))

    _interrupted = False

    def _print(self, data: bytes) -> None:
        self.printed += data
        seen = bytes(self.printed[-len(data) - 40 :])
        if RAW_BANNER in seen or FRIENDLY_BANNER in seen:
            self._in_raw = seen.rfind(RAW_BANNER) > seen.rfind(FRIENDLY_BANNER)
        self._unread += data
        del self._unread[:-MOST_UNREAD]


Make = Callable[..., SerialBoard]


def _as_while_a_program_runs(slave: int) -> None:
    """No echo, no lines; ISIG stands, so that one can see when the interpreter reads by itself: it takes that away."""
    modes = termios.tcgetattr(slave)
    modes[0] &= ~(termios.ICRNL | termios.IXON)
    modes[1] &= ~termios.OPOST
    modes[3] = modes[3] & ~(termios.ECHO | termios.ICANON | termios.IEXTEN) | termios.ISIG
    termios.tcsetattr(slave, termios.TCSANOW, modes)


def mpremote(board: SerialBoard, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mpremote", "connect", board.port, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
