"""A miner's process: started in a session of its own, found again, ended with all that it started. Linux.

Its environment says whose it is (MARK), so that a sentry that was killed finds it again even if it had no time to note
its number, and never starts a second one.
"""

import asyncio
import os
import pwd
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sentry.host_os import system
from sentry.mining.processes import KILL_S, MARK, Identity, Launch

assert sys.platform != "win32"


@dataclass(slots=True)
class Process:
    id: Identity
    handle: int
    child: "subprocess.Popen[bytes] | None" = None
    code: int | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def watch(self, tell: Callable[[], None]) -> None:
        asyncio.get_running_loop().add_reader(self.handle, self._on_end, tell)

    def _on_end(self, tell: Callable[[], None]) -> None:
        asyncio.get_running_loop().remove_reader(self.handle)
        os.close(self.handle)
        self.signal(signal.SIGKILL)  # what it left behind
        if self.child is not None:
            self.code = self.child.wait()
        else:
            with suppress(OSError):  # it is a child, if the sentry has only changed its program
                self.code = os.waitstatus_to_exitcode(os.waitpid(self.id.pid, os.WNOHANG)[1])
        self.ended.set()
        tell()

    def signal(self, number: int) -> None:
        """To all of its group; while it has not been waited for, nobody else can have its number."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.id.pid, number)

    def freeze(self) -> None:
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    async def stop(self, patience_s: float) -> bool:
        for number, wait_s in ((signal.SIGTERM, patience_s), (signal.SIGKILL, KILL_S)):
            if not self.ended.is_set():
                self.signal(number)
                self.thaw()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.ended.wait(), wait_s)
                return True
        return False

    def forget(self) -> None:
        if not self.ended.is_set():
            asyncio.get_running_loop().remove_reader(self.handle)
            os.close(self.handle)
            if self.child is not None:
                self.child.returncode = 0  # else its end would warn of a child that nobody waits for


def start(launch: Launch, mark: str) -> Process:
    env = {**system.own_env(launch.folder), **launch.env, MARK: mark}
    found: list[Any] = []

    def spawn() -> None:
        # A child inherits these of the thread that starts it, so they hold for each of its own threads.
        try:
            if launch.cpus:
                os.sched_setaffinity(0, launch.cpus)
            if launch.nice:
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), launch.nice)
            log = system.open_log(launch.log)
            try:
                found.append(
                    subprocess.Popen(
                        launch.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=launch.folder, env=env,
                        start_new_session=True, umask=0o077, **_as(launch.user),
                    )
                )  # fmt: skip
            finally:
                os.close(log)
        except (OSError, subprocess.SubprocessError) as error:
            found.append(error)

    thread = threading.Thread(target=spawn)
    thread.start()
    thread.join()
    (child,) = found
    if isinstance(child, OSError):
        raise child
    if isinstance(child, Exception):
        raise OSError(0, str(child))
    handle = os.pidfd_open(child.pid)  # a child that ended already keeps its number until it is waited for
    return Process(Identity(child.pid, _started(child.pid) or 0, boot_id()), handle, child)


def find(known: Identity) -> Process | None:
    if known.boot != boot_id():
        return None
    try:
        handle = os.pidfd_open(known.pid)
    except OSError:
        return None
    if _started(known.pid) != known.started:
        os.close(handle)
        return None
    return Process(known, handle)


def marked(mark: str) -> dict[str, list[Identity]]:
    found: dict[str, list[Identity]] = {}
    sign = f"{MARK}={mark}".encode()
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            variables = Path("/proc", entry, "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        pid = int(entry)
        started = _started(pid)
        for each in variables:
            if each.startswith(sign) and started is not None:
                rest = each[len(sign) :].decode("utf-8", "replace")
                found.setdefault(rest, []).append(Identity(pid, started, boot_id()))
    for each in found.values():
        each.sort(key=lambda one: group(one.pid) != one.pid)
    return found


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _started(pid: int) -> int | None:
    """Ticks from the boot to its start; None: it runs no more."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if words[0] in "ZX" else int(words[19])


def kill(one: Identity) -> None:
    if _started(one.pid) == one.started:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(one.pid, signal.SIGKILL)


def group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except OSError:
        return 0


def _as(user: str) -> dict[str, Any]:
    if not user:
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": os.getgrouplist(user, entry.pw_gid)}
