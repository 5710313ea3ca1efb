"""What a miner's process is, whichever way it is looked after: process.py on Linux, process_portable.py elsewhere."""

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

MARK = "FARMHAND_MINER"
KILL_S = 10.0


@dataclass(frozen=True, slots=True)
class Identity:
    """Of one process, for ever: a number is used again, but not at the same tick (``started``) of the same ``boot``."""

    pid: int
    started: int
    boot: str


@dataclass(frozen=True, slots=True)
class Launch:
    """``user``: name of an unprivileged user, "" for the sentry's own; ``nice``, ``cpus``: as in the document."""

    program: Path
    args: Sequence[str]
    env: Mapping[str, str]
    folder: Path
    log: Path
    user: str = ""
    nice: int = 0
    cpus: Sequence[int] = ()

    @property
    def argv(self) -> list[str]:
        return [str(self.program), *self.args]


class Process(Protocol):
    """One that runs. ``code``: how it ended, None when nobody knows (it was not this sentry's child)."""

    id: Identity
    code: int | None
    ended: asyncio.Event

    def watch(self, tell: Callable[[], None]) -> None:
        """Have ``ended`` set at its end, by the loop that runs, and ``tell`` called."""
        ...

    def freeze(self) -> None:
        """Stand still, all of it."""
        ...

    def thaw(self) -> None: ...

    async def stop(self, patience_s: float) -> bool:
        """Ask it to end, then kill it; False: it does not even end then (it waits in a driver)."""
        ...

    def forget(self) -> None:
        """Leave it running."""
        ...


class Processes(Protocol):
    """Of one of the two files."""

    def start(self, launch: Launch, mark: str) -> Process:
        """OSError when it cannot be started."""
        ...

    def find(self, known: Identity) -> Process | None:
        """The process that was noted, if it still runs."""
        ...

    def marked(self, mark: str) -> dict[str, list[Identity]]:
        """All processes whose mark begins so, by the rest of it; leaders of their group first."""
        ...

    def kill(self, one: Identity) -> None:
        """At once, unless its number is another's by now."""
        ...

    def group(self, pid: int) -> int:
        """Number of the first process of its group; 0: it runs no more."""
        ...


def processes(which: str) -> Processes:
    """``which``: as in MinerSettings."""
    if which == "portable" or sys.platform == "win32":
        from sentry.mining import process_portable

        return process_portable
    from sentry.mining import process

    return process


def mark_of(folder: Path, *which: str) -> str:
    """What a miner's environment holds: whose it is, and ``which``, its name and its plan's digest."""
    return "#".join((str(folder), *which)) if which else f"{folder}#"
