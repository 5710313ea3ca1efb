"""host_os.py on Linux and its kin."""

import fcntl
import os
import pwd
import shlex
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import psutil

assert sys.platform != "win32"

WINDOWS = False
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def lock(handle: int) -> bool:
    """Whether this open file is ours alone now, until it is closed or this process ends."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def settle_folder(folder: Path) -> None:
    """Names of files that were made or replaced there survive a power cut from now on. OSError."""
    handle = os.open(folder, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


def settle_disk() -> None:
    """The same for all that was written anywhere."""
    os.sync()


def open_log(path: Path) -> int:
    """A handle for another program, which writes at the end, wherever that is meanwhile. OSError."""
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def begin_again() -> NoReturn:
    """This program anew, with the same process number."""
    os.execv(sys.executable, sys.orig_argv)


def split(line: str) -> list[str]:
    """A command line as words."""
    return shlex.split(line)


# Users


def is_privileged() -> bool:
    """Whether what this process starts could do anything here."""
    return os.getuid() == 0


def user_problem(name: str) -> str:
    """Why miners cannot be this user, or "" """
    try:
        return "must be an unprivileged user" if pwd.getpwnam(name).pw_uid == 0 else ""
    except KeyError:
        return f"{name!r} is no user of this host"


def give(path: Path, user: str) -> None:
    """From now on it is the user's."""
    entry = pwd.getpwnam(user)
    os.chown(path, entry.pw_uid, entry.pw_gid)


def enter_barrier(folder: Path, user: str) -> Path | None:
    """The first folder on the way that the user may not enter."""
    entry = pwd.getpwnam(user)
    groups = os.getgrouplist(user, entry.pw_gid)
    for each in [*reversed(folder.resolve().parents), folder]:
        found = each.stat()
        shift = 6 if found.st_uid == entry.pw_uid else 3 if found.st_gid in groups else 0
        if not found.st_mode >> shift & 1:
            return each
    return None


# Processes


def own_env(home: Path) -> dict[str, str]:
    """All that a program finds in its environment by itself; ``home``: its own folder."""
    return {"PATH": PATH, "LANG": "C.UTF-8", "HOME": str(home)}


def new_process() -> dict[str, Any]:
    """For Popen: what ends this program by its terminal does not end that one."""
    return {"start_new_session": True, "umask": 0o077}


def priority(nice: int) -> int:
    """As psutil wants it."""
    return nice


def terminate(tree: Sequence[psutil.Process]) -> bool:
    """Ask a program, the first of these, and all that it started to end; whether that could be said."""
    for each in tree:
        with suppress(psutil.Error):
            each.terminate()
    return True
