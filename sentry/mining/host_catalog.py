"""catalog.toml in the sentry's folder: what the host's owner allows to be run, with FARMHAND_MINER_CATALOG=host.

[xmrig."6.22.2".linux-x86_64]
path = "/usr/local/bin/xmrig"
sha256 = "..."
archive = "none"
"""

import tomllib
from pathlib import Path
from typing import Any

from schema.message import Invalid, check
from schema.playbooks import PROGRAM
from sentry.mining.miner_plan import Catalog

FILE = "catalog.toml"


def load(folder: Path) -> Catalog:
    """software -> release -> platform -> program. Invalid names the entry that is wrong."""
    path = folder / FILE
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        problem = error.strerror if isinstance(error, OSError) else error
        raise Invalid(FILE, f"{path}: {problem}") from None
    for software, releases in found.items():
        for release, programs in _table(software, releases).items():
            for platform, program in _table(f"{software}.{release}", programs).items():
                try:
                    check(PROGRAM, program)
                except Invalid as error:
                    raise Invalid(FILE, f"{software}.{release}.{platform}: {error}") from None
    return found


def _table(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Invalid(FILE, f"{name} must be a table: [software.release.platform]")
    return value  # pyright: ignore[reportUnknownVariableType]
