"""Virtual boards in a process of their own, and how a host sees their bus."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.boards.serial_port import WAIT_S, touch
from tests.conftest import ROOT


class Farm:
    """``options``: of the program."""

    def __init__(self, bus: Path, *options: str) -> None:
        self.bus = bus
        command = [sys.executable, "-m", "sentry.boards.virtual", "--bus", str(bus), "--count", "2"]
        pace = ["--count-s", "0.05", "--restart-s", "0.05"]
        self.process = subprocess.Popen([*command, *pace, *options], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        first = self.process.stdout.readline()
        assert first, "the bus did not start"
        self.one, self.two = json.loads(first)["serials"]

    def device(self, serial: str, fits: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """As soon as the device is there and fits."""
        ends = time.monotonic() + WAIT_S
        while time.monotonic() < ends:
            found = self.now(serial)
            if found and fits(found):
                return found
            time.sleep(0.01)
        raise AssertionError(f"{serial} is {self.now(serial)}")

    def now(self, serial: str) -> dict[str, Any] | None:
        try:
            return json.loads((self.bus / serial / "device.json").read_text())
        except FileNotFoundError:
            return None

    def tty(self, serial: str) -> str:
        return self.device(serial, lambda device: device["tty"])["tty"]

    def disk(self, serial: str) -> Path:
        return Path(self.device(serial, lambda device: device["disk"])["disk"])

    def flash(self, serial: str, kind: str) -> None:
        touch(self.tty(serial))
        copy(self.disk(serial), (self.bus / "firmware" / f"{kind}.uf2").read_bytes())

    def close(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(WAIT_S) == 0
        assert self.process.stdout
        self.process.stdout.close()


def copy(disk: Path, content: bytes, name: str = "firmware.uf2") -> None:
    (disk / name).write_bytes(content)
