"""Firmware images for virtual boards: UF2 files that hold a marker in place of a program. A real board would take them
and do nothing."""

import re
from pathlib import Path

from sentry.boards.virtual import uf2

KINDS = ("default", "pulsecount", "variance")
_MARKER = re.compile(rb"farmhand virtual firmware: ([a-z]+)\0")


def image(kind: str) -> bytes:
    return uf2.build(b"farmhand virtual firmware: " + kind.encode() + bytes(600))


def kind_of(content: bytes) -> str | None:
    """Which of ours it is; None: some other firmware."""
    found = _MARKER.search(content)
    kind = found[1].decode() if found else ""
    return kind if kind in KINDS else None


def write_all(folder: Path) -> None:
    """`<folder>/<kind>.uf2`, for the settings that name a board's firmware."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        (folder / f"{kind}.uf2").write_bytes(image(kind))
