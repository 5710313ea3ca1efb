"""Child processes of `farmhand up`: started, restarted with back-off, ended in reverse order."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
PR_SET_PDEATHSIG = 1
STEADY_S = 30.0
PATIENCE_S = 10.0
RESTART = 5  # exit code of a node that wants to be started again: new software, or told to
NEEDS_A_PERSON = (2, 3)  # of a node: a wrong configuration, a token that was refused


class ChildFailed(RuntimeError):
    """A process ended, or was not ready in time; shows the end of what it wrote."""

    def __init__(self, name: str, what: str, log: Path) -> None:
        lines = log.read_text(errors="replace").strip().splitlines()[-4:] if log.exists() else []
        self.user_message = f"{name}: {what} (log: {log})" + "".join(f"\n  {line}" for line in lines)
        super().__init__(self.user_message)


class Child:
    """One process, its log file, and when it may be started again."""

    def __init__(
        self, name: str, command: list[str], environment: dict[str, str], folder: Path | None, log: Path, board: bool
    ) -> None:
        self.name = name
        self.board = board
        self.log = log
        self.failures = 0
        self.next_start = 0.0
        self._command = command
        self._environment = {**os.environ, **environment}
        self._folder = folder
        self.start()

    def start(self) -> None:
        self.started = time.monotonic()
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment,
                cwd=self._folder,
                # Ctrl-C is for `up`, which ends its children in order; and they must not outlive it.
                start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
            )

    def ended(self) -> bool:
        return self.process.poll() is not None

    @property
    def wants_restart(self) -> bool:
        return self.board and self.process.poll() == RESTART


class Family:
    """All children of one `up`."""

    def __init__(self, folder: Path, warn: Callable[[str], None]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._warn = warn
        self._children: list[Child] = []

    def add(
        self,
        name: str,
        command: list[str],
        environment: dict[str, str] | None = None,
        folder: Path | None = None,
        board: bool = False,
    ) -> None:
        """Start a process; its output goes to <folder>/<name>.log, its id to <name>.pid. `board`: a MicroPython node,
        which starts itself anew (new software, a crash), and takes Ctrl-C for a proper end.
        """
        child = Child(name, command, environment or {}, folder, self._folder / f"{name}.log", board)
        self._children.append(child)
        self._note(child)

    def wait(
        self, name: str, check: Callable[[], T | None], seconds: float, missing: Callable[[], str] = lambda: ""
    ) -> T:
        """The first true answer of `check`; ChildFailed when a process ends before, or time runs out: it says what is
        `missing`.
        """
        ends = time.monotonic() + seconds
        while True:
            for child in self._children:
                if child.ended() and child.board and child.process.returncode not in NEEDS_A_PERSON:
                    self._revive(child)
                elif child.ended():
                    raise ChildFailed(child.name, f"ended with code {child.process.returncode}", child.log)
            answer = check()
            if answer:
                return answer
            if time.monotonic() > ends:
                what = missing()
                problem = f"not ready within {seconds:.0f} s" + (f": {what}" if what else "")
                raise ChildFailed(name, problem, self._children[-1].log)
            time.sleep(0.1)

    def watch(self) -> None:
        """Restart what ends, for ever."""
        while True:
            for child in self._children:
                if child.ended():
                    self._revive(child)
            time.sleep(0.2)

    def stop(self) -> None:
        """End all, last started first; kill what does not end."""
        for child in reversed(self._children):
            if child.ended():
                continue
            child.process.send_signal(signal.SIGINT if child.board else signal.SIGTERM)
            try:
                child.process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self._warn(f"{child.name} does not end; killing it")
                child.process.kill()
                child.process.wait()

    def _revive(self, child: Child) -> None:
        """Start a child that has ended, after a pause; to be called again and again."""
        now = time.monotonic()
        if not child.next_start and not child.wants_restart:
            child.failures = 0 if now - child.started > STEADY_S else child.failures + 1
            pause = min(30.0, 0.5 * 2**child.failures)
            child.next_start = now + pause
            self._warn(f"{child.name} ended with code {child.process.returncode}; starting it again in {pause:.1f} s")
        elif now >= child.next_start:
            if child.wants_restart:
                child.failures = 0
            child.next_start = 0.0
            child.start()
            self._note(child)

    def _note(self, child: Child) -> None:
        new = self._folder / f"{child.name}.pid.new"  # who reads it sees a whole number, this one or the old one
        new.write_text(f"{child.process.pid}\n")
        new.replace(new.with_suffix(""))


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
