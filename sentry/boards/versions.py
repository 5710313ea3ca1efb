"""Which firmware a sentry can give its boards: its names, with a few letters that tell one content from another."""

import hashlib
from functools import lru_cache
from pathlib import Path

from sentry.boards.faults import BoardFailed
from sentry.boards.loading import read_program
from sentry.boards.settings import PROGRAM, BoardSettings

LETTERS = 8


def versions(settings: BoardSettings) -> dict[str, str]:
    """name -> version, of all that can be read now."""
    found = {name: _version(path) for name, path in sorted(settings.firmware.items())}
    return {name: version for name, version in found.items() if version}


def _version(path: Path) -> str:
    try:
        if path.suffix == PROGRAM:  # a few lines, of more than one file
            return _letters(read_program(path).encode())
        stat = path.stat()
        return _of_file(path, stat.st_mtime_ns, stat.st_size)
    except (BoardFailed, OSError):  # said when a board is to get it
        return ""


@lru_cache(maxsize=64)
def _of_file(path: Path, _mtime_ns: int, _size: int) -> str:
    return _letters(path.read_bytes())


def _letters(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:LETTERS]
