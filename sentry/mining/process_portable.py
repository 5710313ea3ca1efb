"""A miner's process by psutil and subprocess alone, with the names of process.py: for Windows and its kin.

There is no process group that could be told something as a whole, so what belongs to a miner is found by the mark that
all it starts inherits, and by who started whom. Its end is noticed by looking.
"""

import asyncio
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psutil

from sentry.host_os import system
from sentry.mining.processes import KILL_S, MARK, Identity, Launch

LOOK_S = 0.2
SAME_BOOT_S = 60  # the clock may be set between two looks at it


@dataclass(slots=True)
class Process:
    id: Identity
    found: psutil.Process
    mark: str
    child: "subprocess.Popen[bytes] | None" = None
    code: int | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    watching: "asyncio.Task[None] | None" = None

    def watch(self, tell: Callable[[], None]) -> None:
        self.watching = asyncio.create_task(self._wait(tell))

    async def _wait(self, tell: Callable[[], None]) -> None:
        while not self._has_ended():
            await asyncio.sleep(LOOK_S)
        await asyncio.to_thread(self._tell, _kill)  # what it left behind
        self.ended.set()
        tell()

    def _has_ended(self) -> bool:
        try:
            self.code = self.child.poll() if self.child is not None else self.found.wait(0)
        except psutil.Error:
            return not _runs(self.found)
        return self.child is None or self.code is not None

    def freeze(self) -> None:
        for each in self._all():
            with suppress(psutil.Error):
                each.suspend()

    def thaw(self) -> None:
        for each in self._all():
            with suppress(psutil.Error):
                each.resume()

    async def stop(self, patience_s: float) -> bool:
        for do, wait_s in ((system.terminate, patience_s), (_kill, KILL_S)):
            if not self.ended.is_set() and not await asyncio.to_thread(self._tell, do):
                continue  # nobody could be told, so nobody will end
            with suppress(TimeoutError):
                await asyncio.wait_for(self.ended.wait(), wait_s)
                return True
        return False

    def forget(self) -> None:
        if self.watching is not None:
            self.watching.cancel()
        if self.child is not None and not self.ended.is_set():
            self.child.returncode = 0  # else its end would warn of a child that nobody waits for

    def _tell(self, do: Callable[[Sequence[psutil.Process]], bool]) -> bool:
        self.thaw()  # who stands still does not hear
        return do(self._all())

    def _all(self) -> list[psutil.Process]:
        """It, and all that it started."""
        found = {self.found.pid: self.found} if _runs(self.found) else {}
        with suppress(psutil.Error):
            found |= {each.pid: each for each in self.found.children(recursive=True)}
        if self.mark:
            found |= {each.pid: each for each, mark in _all_marked() if mark == self.mark}
        return list(found.values())


def start(launch: Launch, mark: str) -> Process:
    env = {**system.own_env(launch.folder), **launch.env, MARK: mark}
    log = system.open_log(launch.log)
    try:
        child: Any = subprocess.Popen(
            launch.argv, executable=launch.program, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            cwd=launch.folder, env=env, **system.new_process(),
        )  # fmt: skip
    except subprocess.SubprocessError as error:
        raise OSError(0, str(error)) from None
    finally:
        os.close(log)
    found = psutil.Process(child.pid)  # one that ended already keeps its number until it is waited for
    with suppress(psutil.Error):
        if launch.cpus:
            found.cpu_affinity(list(launch.cpus))
        if launch.nice:
            found.nice(system.priority(launch.nice))
    return Process(_identity(found), found, mark, child)


def find(known: Identity) -> Process | None:
    if not known.boot.isdecimal() or abs(int(known.boot) - int(boot_id())) > SAME_BOOT_S:
        return None
    try:
        found = psutil.Process(known.pid)
        if _identity(found).started != known.started or not _runs(found):
            return None
    except psutil.Error:
        return None
    return Process(known, found, _mark(found))


def marked(mark: str) -> dict[str, list[Identity]]:
    found: dict[str, list[psutil.Process]] = {}
    for each, all_of_it in _all_marked():
        if all_of_it.startswith(mark):
            found.setdefault(all_of_it[len(mark) :], []).append(each)
    for each in found.values():
        each.sort(key=lambda one: group(one.pid) != one.pid)
    return {rest: [_identity(one) for one in each] for rest, each in found.items()}


def kill(one: Identity) -> None:
    there = find(one)
    if there is not None:
        with suppress(psutil.Error):
            there.found.kill()


def group(pid: int) -> int:
    """Who has the same mark and was not started by one with that mark. Of a miner that is gone, that may be one which
    it started: it is no longer known then who was the first."""
    try:
        found = psutil.Process(pid)
        mark = _mark(found)
        while mark and (above := found.parent()) is not None and _mark(above) == mark:
            found = above
        return found.pid if _runs(found) else 0
    except psutil.Error:
        return 0


def boot_id() -> str:
    """s since 1970."""
    return str(round(psutil.boot_time()))


def _identity(found: psutil.Process) -> Identity:
    return Identity(found.pid, round(found.create_time() * 1000), boot_id())


def _runs(found: psutil.Process) -> bool:
    try:
        return found.is_running() and found.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _mark(found: psutil.Process) -> str:
    """ "" of what is not ours to look into, too."""
    try:
        return found.environ().get(MARK, "")
    except (psutil.Error, OSError):
        return ""


def _all_marked() -> Iterator[tuple[psutil.Process, str]]:
    for each in psutil.process_iter():
        if each.pid != os.getpid() and (mark := _mark(each)) and _runs(each):
            yield each, mark


def _kill(tree: Sequence[psutil.Process]) -> bool:
    for each in tree:
        with suppress(psutil.Error):
            each.kill()
    return True
