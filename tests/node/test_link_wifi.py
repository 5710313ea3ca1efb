"""esp_node.wifi on the virtual board, on both interpreters."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, program


@pytest.mark.parametrize("interpreter", ["cpython", "micropython"])
def test_wifi_on_the_virtual_board(interpreter: str) -> None:
    script = Path(__file__).parent / "board" / "wifi.py"
    argv = [sys.executable] if interpreter == "cpython" else [program("micropython") or ""]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "MICROPYPATH": str(ROOT)}
    done = subprocess.run([*argv, str(script)], env=env, capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout.endswith("ok\n"), done.stdout + done.stderr
