"""The iCEFARM clients of the package index, as people's scripts use them."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.support.waiting import PATIENCE, wait_until

VERSIONS = ("0.1.15", "0.1.16")
PACKAGES = ROOT / ".local" / "icefarm"
SCRIPT = Path(__file__).with_name("script.py")


def need_icefarm(version: str) -> None:
    if not (PACKAGES / version / "icefarm").is_dir():
        pytest.skip(f"icefarm {version} is not on this machine; `make setup` tries to get it")


class OldClient:
    """A process with a client. `told` is what it was told, as (event, serial, contents); `connected`: it was let in."""

    def __init__(self, version: str, url: str, name: str) -> None:
        need_icefarm(version)
        self.told: list[tuple[str, str, dict[str, Any]]] = []
        self._answers: list[dict[str, Any]] = []
        self._log = tempfile.NamedTemporaryFile("w")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, str(SCRIPT), url, name],
            env={**os.environ, "PYTHONPATH": str(PACKAGES / version)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.connected = self._next()["connected"]

    def call(self, method: str, *arguments: Any, **keywords: Any) -> Any:
        self.begin(method, *arguments, **keywords)
        return self.answer()

    def begin(self, method: str, *arguments: Any, **keywords: Any) -> None:
        """Without waiting for its answer()."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps([method, arguments, keywords]) + "\n")
        self._process.stdin.flush()

    def answer(self) -> Any:
        line = self._next()
        assert "error" not in line, line["error"] + self.log()
        return line["answer"]

    def events(self, what: str, serial: str = "") -> list[dict[str, Any]]:
        return [contents for event, of, contents in list(self.told) if event == what and serial in ("", of)]

    def until(self, what: str, serial: str = "") -> list[dict[str, Any]]:
        return wait_until(f"{what} of {serial}", lambda: self.events(what, serial))

    def log(self) -> str:
        return Path(self._log.name).read_text()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        for each in (self._process.stdin, self._process.stdout, self._log):
            if each:
                each.close()

    def _next(self) -> dict[str, Any]:
        def there() -> bool:
            assert self._answers or self._process.poll() is None, self.log()
            return bool(self._answers)

        wait_until("what the client answers", there, 60)
        return self._answers.pop(0)

    def _read(self) -> None:
        assert self._process.stdout
        for text in self._process.stdout:
            line = json.loads(text)
            if "event" in line:
                self.told.append((line["event"], line["serial"], line["contents"]))
            else:
                self._answers.append(line)


Connect = Callable[[str, str], OldClient]
