"""A file onto the disk of a bootloader, without a mount: nothing is left behind when the board restarts in between.

A folder (a virtual board, or a disk that something else has mounted) is written like any folder; a block device through
`mcopy` of mtools, which needs no more than the right to write to the device.
"""

import os
import shutil
import subprocess
from pathlib import Path

from sentry.boards.faults import BoardFailed

COPY_S = 60.0


def copy_onto(disk: Path, name: str, content: bytes) -> None:
    """BoardFailed when nothing could be written. That a disk goes away at the end of the file is what it should do: the
    caller sees by what comes after it whether all was well."""
    if disk.is_dir():
        _into_folder(disk / name, content)
    else:
        _onto_device(disk, name, content)


def _into_folder(path: Path, content: bytes) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    except OSError as error:
        raise BoardFailed(f"the bootloader's disk cannot be written: {error.strerror}") from None
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(handle, left) :]
        os.fsync(handle)
    except OSError as error:
        if path.parent.is_dir():
            raise BoardFailed(f"the bootloader's disk cannot be written: {error.strerror}") from None
    finally:
        os.close(handle)


def _onto_device(disk: Path, name: str, content: bytes) -> None:
    program = shutil.which("mcopy")
    if program is None:
        raise BoardFailed("the bootloader's disk cannot be written: install mtools")
    argv = [program, "-o", "-i", str(disk), "-", f"::{name}"]
    try:
        done = subprocess.run(argv, input=content, capture_output=True, timeout=COPY_S, check=False)
    except subprocess.TimeoutExpired:
        raise BoardFailed(f"the bootloader's disk was not written within {COPY_S:.0f} s") from None
    if done.returncode and disk.exists():
        why = done.stderr.decode(errors="replace").strip()[:200]
        raise BoardFailed(f"the bootloader's disk cannot be written: {why}")
