"""The virtual board: on both interpreters in virtual time, and in MicroPython as a live node has it, in real time."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, program
from tests.node.test_sensors import board  # noqa: F401  (a fixture)
from tests.support.waiting import wait_until

SCRIPTS = Path(__file__).parent / "virtual"
DEVICES: list[dict[str, Any]] = [
    {"device": "dht22", "pin": 14, "temp_c": 21.5},
    {"device": "hcsr04", "trig": 12, "echo": 13, "distance_cm": 150},
    {"device": "mhz19b", "pin": 5, "co2_ppm": 900},
    {"device": "ds18b20", "pin": 3, "temp_c": -4},
]


@pytest.mark.parametrize("interpreter", ["cpython", "micropython"])
def test_virtual_time(interpreter: str, board: Path) -> None:  # noqa: F811
    script = str(SCRIPTS / "board.py")
    if interpreter == "cpython":
        argv, env = [sys.executable, script], {**os.environ, "PYTHONPATH": str(ROOT)}
    else:
        argv = [program("micropython") or "", "-X", "heapsize=64k", script]
        env = {**os.environ, "MICROPYPATH": str(board)}
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout.endswith("ok\n"), done.stdout + done.stderr


class Live:
    """Starts the script in MicroPython, `machine` and `time` found on the path, and reads what it reports."""

    def __init__(self, node: Path, folder: Path):
        self.board = folder / "board.json"
        self.log = folder / "log"
        self.env = {
            **os.environ,
            "MICROPYPATH": f"{node}/esp_node/virtual:{node}",
            "FARMHAND_BOARD": str(self.board),
        }
        self.describe()

    def describe(self, **faults: str) -> None:
        """Write the board's description; `faults` by device."""
        new = self.board.with_suffix(".new")
        new.write_text(json.dumps({"devices": [{**one, "fault": faults.get(one["device"])} for one in DEVICES]}))
        new.rename(self.board)

    def start(self, what: str) -> subprocess.Popen[bytes]:
        argv = [program("micropython") or "", "-X", "heapsize=128k", str(SCRIPTS / "live.py"), what]
        with self.log.open("wb") as log:
            return subprocess.Popen(argv, env=self.env, stdout=log, stderr=log)

    def run(self, what: str) -> tuple[int, str]:
        return self.start(what).wait(60), self.log.read_text()


@pytest.fixture
def live(board: Path, tmp_path: Path) -> Live:  # noqa: F811
    return Live(board, tmp_path)


@pytest.fixture
def measuring(live: Live) -> Iterator[Callable[[str], bool]]:
    process = live.start("measure")
    yield lambda line: line in live.log.read_text().splitlines()
    process.kill()
    process.wait()


def test_a_reset_ends_the_process_and_the_next_start_knows_why(live: Live) -> None:
    code, log = live.run("reset")
    assert (code, log) == (-signal.SIGUSR1, "cause 1 b''\n")
    began = time.monotonic()
    code, log = live.run("deepsleep")
    assert (code, log) == (-signal.SIGUSR2, "cause 2 b'kept'\n")
    assert time.monotonic() - began >= 0.3
    code, log = live.run("hang")
    assert code == -signal.SIGALRM
    assert log.splitlines() == ["cause 4 b'kept'", "fed", "watchdog: not fed in time"]
    code, log = live.run("none")
    assert (code, log) == (0, "cause 3 b'kept'\n")
    code, log = live.run("none")  # nobody said why: the power was cut
    assert (code, log) == (0, "cause 1 b''\n")


def test_devices_of_a_live_board_fail_and_come_back(live: Live, measuring: Callable[[str], bool]) -> None:
    for line in ("dht22 22", "hcsr04 1500", "mhz19b 900", "ds18b20 -4"):
        wait_until(line, lambda line=line: measuring(line))
    live.describe(dht22="absent", hcsr04="garbage", mhz19b="absent", ds18b20="garbage")
    for line in ("dht22 OSError", "hcsr04 ValueError", "mhz19b OSError", "ds18b20 ValueError"):
        wait_until(line, lambda line=line: measuring(line))
    told = len(live.log.read_text())
    live.describe()
    for line in ("dht22 22", "hcsr04 1500", "mhz19b 900", "ds18b20 -4"):
        wait_until(line, lambda line=line: line in live.log.read_text()[told:].splitlines())
