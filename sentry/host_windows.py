"""host_os.py on Windows: written by its documentation, not run there yet (docs/host.md)."""

import ctypes
import msvcrt
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import psutil

assert sys.platform == "win32"

WINDOWS = True
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGBREAK)
# CreateFileW
APPEND_ONLY = 0x0004 | 0x0080 | 0x100000  # FILE_APPEND_DATA, FILE_READ_ATTRIBUTES, SYNCHRONIZE
SHARE_ALL = 0x7
OPEN_ALWAYS = 4
NO_HANDLE = ctypes.c_void_p(-1).value


def lock(handle: int) -> bool:
    """Whether this open file is ours alone now, until it is closed or this process ends."""
    try:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    except OSError:
        return False
    return True


def settle_folder(folder: Path) -> None:
    """Nothing: Windows has no such call for a folder, and NTFS keeps a journal of its names."""


def settle_disk() -> None:
    """Nothing: only an administrator may have that done."""


def open_log(path: Path) -> int:
    """A handle for another program, which writes at the end, wherever that is meanwhile. OSError.

    O_APPEND would hold for writes of this process alone: what is inherited must be a handle that can only append.
    """
    create = ctypes.WinDLL("kernel32", use_last_error=True).CreateFileW
    create.restype = ctypes.c_void_p
    create.argtypes = [
        ctypes.c_wchar_p, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32,
        ctypes.c_void_p,
    ]  # fmt: skip
    handle = create(str(path), APPEND_ONLY, SHARE_ALL, None, OPEN_ALWAYS, 0, None)
    if handle is None or handle == NO_HANDLE:
        raise ctypes.WinError(ctypes.get_last_error())
    return msvcrt.open_osfhandle(handle, os.O_WRONLY | os.O_APPEND)


def begin_again() -> NoReturn:
    """This program anew, below the one that was started: who waits for that one would take its end for the sentry's."""
    child = subprocess.Popen([sys.executable, *sys.orig_argv[1:]])
    for number in STOP_SIGNALS:  # the console tells both, and it is the other's to end
        signal.signal(number, signal.SIG_IGN)
    sys.exit(child.wait())


def split(line: str) -> list[str]:
    """A command line as words; a backslash is one."""
    return [each.strip('"') for each in shlex.split(line, posix=False)]


# Users


def is_privileged() -> bool:
    """Whether what this process starts could do anything here."""
    return bool(ctypes.windll.shell32.IsUserAnAdmin())


def user_problem(name: str) -> str:
    """Why miners cannot be this user."""
    return "there is no such thing on Windows: let the sentry itself run as that user"


def give(path: Path, user: str) -> None:
    """Never asked for: no miner can be another user here."""
    raise OSError(user_problem(user))


def enter_barrier(folder: Path, user: str) -> Path | None:
    """As `give`."""
    raise OSError(user_problem(user))


# Processes


def own_env(home: Path) -> dict[str, str]:
    """All that a program finds in its environment by itself; ``home``: its own folder.

    Without SYSTEMROOT a program cannot even open a socket.
    """
    root = os.environ.get("SYSTEMROOT", r"C:\Windows")
    names = ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "TEMP", "TMP")
    return {"SYSTEMROOT": root, "WINDIR": root, "PATH": f"{root}\\System32;{root}", **dict.fromkeys(names, str(home))}


def new_process() -> dict[str, Any]:
    """For Popen: Ctrl-C for this program is not for that one, which gets no window where this one has none."""
    flags = subprocess.CREATE_NEW_PROCESS_GROUP
    return {"creationflags": flags if _has_console() else flags | subprocess.CREATE_NO_WINDOW}


def priority(nice: int) -> int:
    """As psutil wants it."""
    return psutil.IDLE_PRIORITY_CLASS if nice >= 10 else psutil.BELOW_NORMAL_PRIORITY_CLASS


def terminate(tree: Sequence[psutil.Process]) -> bool:
    """Ask a program, the first of these, and all that it started to end; whether that could be said.

    Its console tells all of its group, so it must be this program's console, too. A number that is no group's must not
    be said: that means everybody.
    """
    try:
        for each in tree[:1]:
            each.send_signal(signal.CTRL_BREAK_EVENT)
    except (OSError, psutil.Error):
        return False
    return True


def _has_console() -> bool:
    return ctypes.windll.kernel32.GetConsoleCP() != 0
