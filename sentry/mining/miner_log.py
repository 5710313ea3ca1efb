"""A miner's output, in a file of bounded size.

The miner itself writes it, appending, so that neither the end nor the start of a sentry stops its mouth. What is too
old is cut off in place: the miner keeps its handle and goes on at the new end.
"""

import os
import re
from pathlib import Path

COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
MOST_BYTES = 128 * 1024  # of one answer


def bound(path: Path, most: int) -> None:
    """Keep the file and `<name>.1`, what was before, below ``most`` bytes together."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return
    if size <= most // 2:
        return
    with open(path, "r+b") as file:
        file.seek(max(0, size - most // 2))
        before = file.read()
        older = path.with_name(path.name + ".1")
        with open(older, "wb", opener=lambda p, flags: os.open(p, flags, 0o600)) as copy:
            copy.write(before)
        file.truncate(0)


def last_lines(path: Path, count: int) -> list[str]:
    """Without colours, and at most MOST_BYTES of them."""
    text = b""
    for each in (path, path.with_name(path.name + ".1")):
        if text.count(b"\n") <= count and len(text) < MOST_BYTES:
            text = _end(each) + text
    lines = COLOURS.sub("", text[-MOST_BYTES:].decode("utf-8", "replace")).splitlines()
    return ["".join(c if c.isprintable() else "?" for c in line)[:1024] for line in lines[-count:]]


def _end(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - MOST_BYTES))
            return file.read()
    except FileNotFoundError:
        return b""
