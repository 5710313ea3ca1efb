import fcntl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.avr.virtual import SIMULATOR, VirtualRig
from tests.conftest import ROOT, program

StartRig = Callable[..., VirtualRig]


def firmware() -> Path:
    """The folder of the built firmware; made anew where its sources are newer."""
    if not program("avr-gcc") or not SIMULATOR.exists():
        pytest.skip("avr-gcc or yasimavr is not on this machine; `make setup` tries to get them")
    build = ROOT / "avr" / "build"
    build.mkdir(exist_ok=True)
    with (build / ".lock").open("w") as lock:  # several test processes, one build
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = subprocess.run(["make", "-C", ROOT / "avr"], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    return build


@pytest.fixture(scope="session")
def built() -> Path:
    return firmware()


@pytest.fixture
def start_rig(built: Path) -> Iterator[StartRig]:
    rigs: list[VirtualRig] = []

    def start(slaves: int = 1, *options: str, mhz: int = 16) -> VirtualRig:
        rigs.append(VirtualRig(built / f"slave-{mhz}.elf", slaves, f"--mhz={mhz}", *options))
        return rigs[-1]

    yield start
    for rig in rigs:
        rig.close()


@pytest.fixture
def rig(start_rig: StartRig) -> VirtualRig:
    """Three slaves, at 11, 12 and 13."""
    return start_rig(3)
