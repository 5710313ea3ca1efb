"""MicroPython's Unix port as a board has MicroPython: behind a serial port that outlives its resets, with a door by
which its `ice`, `rp2` and `machine` (esp_node/virtual/pico2) learn what the circuit does.

The interpreter itself speaks the REPL's protocol. Here is what a board does around it: Ctrl-C interrupts a program that
has not given that up, and a soft reset is a new interpreter with an empty heap.
"""

import asyncio
import fcntl
import json
import os
import signal
import socket
import termios
import tty as modes
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import esp_node
from sentry.boards.virtual import tools
from sentry.boards.virtual.tty import READ_BYTES, Closed, Tty

MODULES = Path(esp_node.__file__).parent / "virtual" / "pico2"
HEAP = "512k"  # an RP2350 has 520 KB of RAM
RAW, FRIENDLY, PROMPT = b"raw REPL; CTRL-B", b'Type "help()"', b">>> "
CTRL_A, CTRL_C = b"\x01", b"\x03"
LOCAL_FLAGS = 3  # place in the list of termios
LONGEST_LINE = 65_536

Answer = Callable[[dict[str, Any], bytes], Awaitable[dict[str, Any]]]


class Crashed(Exception):
    """The interpreter ended by itself, which no reset is."""


class Interpreter:
    """``answer`` is asked at the door."""

    def __init__(self, tty: Tty, answer: Answer) -> None:
        self._tty, self._answer = tty, answer
        self._raw = False
        self._seen = b""
        self._interrupts = True
        self._process: asyncio.subprocess.Process | None = None

    async def run(self) -> None:
        """From reset to reset, until it has crashed: raises Crashed."""
        while True:
            code = await self._one_life()
            if code:
                raise Crashed(f"exit status {code}")
            self._say(b"MPY: soft reboot\r\n")

    def kill(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.kill()

    async def _one_life(self) -> int:
        """Until it ends by a Ctrl-D at the prompt, or is killed; its exit status."""
        terminal, inner = os.openpty()
        door, theirs = socket.socketpair()
        tasks: list[asyncio.Task[None]] = []
        try:
            os.set_blocking(terminal, False)
            _as_while_a_program_runs(inner)
            self._process = process = await asyncio.create_subprocess_exec(
                tools.find("micropython"), "-X", f"heapsize={HEAP}", "-i", str(MODULES / "boot.py"),
                stdin=inner, stdout=inner, stderr=inner, pass_fds=(theirs.fileno(),), start_new_session=True,
                preexec_fn=_hangs_up_with_us,
                env={**os.environ, "MICROPYPATH": str(MODULES), "FARMHAND_DOOR": str(theirs.fileno())},
            )  # fmt: skip
            theirs.close()
            os.close(inner)
            tasks.append(asyncio.create_task(self._serve(door)))
            await self._live(terminal, tasks)
            return await process.wait()
        finally:
            self.kill()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._process:
                await self._process.wait()
            os.close(terminal)
            door.close()

    async def _live(self, terminal: int, tasks: list[asyncio.Task[None]]) -> None:
        said = b""
        try:
            while not said.endswith(PROMPT):  # until then an interrupt would end the process
                said += await _read(terminal)
            if self._raw:
                os.write(terminal, CTRL_A)
            else:
                self._say(said)
            tasks.append(asyncio.create_task(self._relay(terminal)))
            while True:
                self._say(await _read(terminal))
        except OSError:  # EIO: it has ended
            return

    def _say(self, content: bytes) -> None:
        self._seen = (self._seen + content)[-len(content) - len(RAW) :]
        if RAW in self._seen or FRIENDLY in self._seen:
            self._raw = self._seen.rfind(RAW) > self._seen.rfind(FRIENDLY)
        with suppress(Closed):
            self._tty.write(content)

    # What the host types

    async def _relay(self, terminal: int) -> None:
        while True:
            await self._tty.opened()
            try:
                while True:
                    await self._type(terminal, await self._tty.read())
            except Closed:
                continue

    async def _type(self, terminal: int, typed: bytes) -> None:
        runs = bool(termios.tcgetattr(terminal)[LOCAL_FLAGS] & termios.NOFLSH)
        self._interrupts = self._interrupts or not runs
        if runs and self._interrupts and CTRL_C in typed:
            assert self._process
            self._process.send_signal(signal.SIGINT)
            typed = typed[typed.rindex(CTRL_C) + 1 :]  # what came before is forgotten, on a board as well
        left = memoryview(typed)
        while left:
            try:
                left = left[os.write(terminal, left) :]
            except BlockingIOError:
                await _until(terminal, asyncio.get_running_loop().add_writer, asyncio.get_running_loop().remove_writer)

    # The door

    async def _serve(self, door: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=door, limit=LONGEST_LINE)
        try:
            while line := await reader.readline():
                asked: dict[str, Any] = json.loads(line)
                content = await reader.readexactly(asked["bytes"])
                if asked["do"] == "interrupt":
                    self._interrupts = asked["character"] == CTRL_C[0]
                    answer: dict[str, Any] = {}
                else:
                    answer = await self._answer(asked, content)
                writer.write(json.dumps(answer).encode() + b"\n")
        except (ConnectionError, asyncio.IncompleteReadError):  # the interpreter has ended
            pass
        finally:
            writer.close()


def _as_while_a_program_runs(terminal: int) -> None:
    """Bytes as they are. The interpreter takes all local flags away while it reads for its prompt, and gives them back
    when a program runs: NOFLSH, which does nothing without signals, shows which it is."""
    modes.setraw(terminal)
    settings = termios.tcgetattr(terminal)
    settings[LOCAL_FLAGS] |= termios.NOFLSH
    termios.tcsetattr(terminal, termios.TCSANOW, settings)


def _hangs_up_with_us() -> None:
    """In the new process: a bus that is killed leaves no interpreter behind."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


async def _read(terminal: int) -> bytes:
    """Raises OSError when nobody has the other end any more."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            return os.read(terminal, READ_BYTES)
        except BlockingIOError:
            await _until(terminal, loop.add_reader, loop.remove_reader)


async def _until(handle: int, add: Callable[..., None], remove: Callable[[int], Any]) -> None:
    ready = asyncio.Event()
    add(handle, ready.set)
    try:
        await ready.wait()
    finally:
        remove(handle)
