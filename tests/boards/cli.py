"""The command line as a test uses it."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.support.waiting import PATIENCE


class Cli:
    """`farmhand boards` in a process of its own; `code`: its exit code, an error's line is answered then."""

    def __init__(self, url: str, key: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("boards_shell.py"))],
            env={**os.environ, "PYTHONPATH": str(ROOT), "FARMHAND_URL": url, "FARMHAND_KEY": key, "COLUMNS": "200"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __call__(self, *words: str, code: int = 0) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        done = json.loads(self._process.stdout.readline())
        assert done["code"] == code, done
        return done["error"] if code else done["out"]

    def close(self) -> None:
        self._process.communicate(timeout=PATIENCE)
