"""Virtual boards as a host sees them: devices on a bus, serial ports, a bootloader's disk, true counts."""

import math
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from schema.boards import BITSTREAM_BYTES
from sentry.boards.virtual import uf2
from sentry.boards.virtual.bus import NotDone, ask
from sentry.boards.virtual.noise import NOISE, variance
from tests.boards.circuits import OSCILLATOR, bitstream, divider, need_tools, pulses
from tests.boards.serial_port import WAIT_S, Port, touch
from tests.boards.virtual_farm import Farm, copy
from tests.conftest import ROOT

DIVIDERS = (7, 10, 1000)
RP2040 = 0xE48BFF56
EVALUATED_S = 120.0

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    need_tools()
    farm = Farm(tmp_path_factory.mktemp("b"))
    yield farm
    farm.close()
    assert not list(farm.bus.glob("E66*"))
    assert not (farm.bus / "control").exists()


def test_flashed_like_a_real_one(farm: Farm) -> None:
    first = farm.device(farm.one, lambda device: device["tty"])
    assert (first["vendor"], first["serial"], first["disk"]) == ("1209", farm.one, None)
    with Port(first["tty"]) as port:
        port.until("default firmware")
    assert farm.tty(farm.one) == first["tty"], "closing the port at another speed is no touch"
    touch(first["tty"])
    disk = farm.disk(farm.one)
    boot = farm.now(farm.one)
    assert boot
    assert (boot["vendor"], boot["tty"]) == ("2e8a", None)
    assert "RP2350" in (disk / "INFO_UF2.TXT").read_text()
    image = (farm.bus / "firmware" / "pulsecount.uf2").read_bytes()
    copy(disk, b"no firmware", "readme.uf2")
    copy(disk, uf2.build(b"for another chip", RP2040), "other.uf2")
    with (disk / "slow.uf2").open("wb") as slow:
        slow.write(image[:700])
        slow.flush()
        time.sleep(0.2)  # nothing is to come of half a file, so there is nothing to wait for
        assert farm.now(farm.one) == boot
        slow.write(image[700:])
    with Port(farm.tty(farm.one)) as port:
        port.until("Waiting for bitstream transfer")


def test_true_counts(farm: Farm) -> None:
    """Of three dividers, one of them sent byte by byte; then at once on the other board, which asks nobody again."""
    farm.flash(farm.one, "pulsecount")
    files = {by: bitstream(divider(by)) for by in DIVIDERS}
    with Port(farm.tty(farm.one)) as port:
        for by, file in files.items():
            assert len(file) == BITSTREAM_BYTES
            port.until("Waiting for bitstream transfer")
            port.write(file, piece=1 if by == 10 else 4096)
            assert int(port.until(r"pulses: (\d+), gate 10 ms\r\n", EVALUATED_S)[1]) == pulses(by)
        port.until("Waiting for bitstream transfer")
        port.write(bitstream(OSCILLATOR))
        assert "oscillator" in port.until(r"cannot evaluate: (.*)\r\n", EVALUATED_S)[1]
        port.write(b"short")
        port.until(f"Watchdog timeout, 5 bytes received of {BITSTREAM_BYTES}")
        port.until("Waiting for bitstream transfer")
    farm.flash(farm.two, "pulsecount")
    with Port(farm.tty(farm.two)) as port:
        port.until("Waiting for bitstream transfer")
        port.write(b"".join(files.values()))
        assert [int(port.until(r"pulses: (\d+)")[1]) for _ in files] == [pulses(by) for by in files]


def test_variance_of_a_declared_noise(farm: Farm) -> None:
    file = bitstream(divider(1000))
    farm.flash(farm.two, "variance")
    with Port(farm.tty(farm.two)) as port:
        port.until("Waiting for bitstream transfer")
        port.write(file)
        told = float(port.until(r"variance: ([\d.]+), gate 10 ms\r\n", EVALUATED_S)[1])
    assert told == variance(pulses(1000), file, farm.two)
    assert told != variance(pulses(1000), file, farm.one)
    still = [variance(0, bytes([number]), farm.one) for number in range(20)]
    assert sum(still) / 20 == pytest.approx(2 * NOISE / math.sqrt(math.pi), rel=0.05)


def test_faults_to_order(farm: Farm) -> None:
    file = bitstream(divider(1000))
    farm.flash(farm.one, "pulsecount")
    with Port(farm.tty(farm.one)) as port:
        port.until("Waiting")
        ask(farm.bus, "short-answer", farm.one)
        port.write(file)
        port.until(r"pulses: \d?Waiting", EVALUATED_S)
        ask(farm.bus, "heal", farm.one)
        ask(farm.bus, "no-answer", farm.one)
        port.write(file)
        port.until("Waiting", EVALUATED_S)
        assert "pulses" not in port.said
    ask(farm.bus, "hang", farm.one)
    name = farm.tty(farm.one)
    touch(name)
    time.sleep(0.3)  # it is not to notice
    assert farm.tty(farm.one) == name
    ask(farm.bus, "power-cycle", farm.one)
    ask(farm.bus, "heal", farm.one)
    with Port(farm.tty(farm.one)) as port:
        port.until("Waiting")
        ask(farm.bus, "unplug", farm.one)
        assert farm.now(farm.one) is None
        with pytest.raises(EOFError):
            port.until("nothing more")
    ask(farm.bus, "plug", farm.one)
    ask(farm.bus, "no-bootloader-disk", farm.one)
    touch(farm.tty(farm.one))
    ends = time.monotonic() + WAIT_S
    while farm.now(farm.one) and time.monotonic() < ends:
        time.sleep(0.01)
    assert farm.now(farm.one) is None
    told = ask(farm.bus, "list")["boards"][farm.one]
    assert told == {"plugged": True, "firmware": "pulsecount", "faults": ["no-bootloader-disk"]}
    ask(farm.bus, "heal", farm.one)
    ask(farm.bus, "power-cycle", farm.one)
    farm.tty(farm.one)


def test_what_cannot_be_ordered(farm: Farm) -> None:
    with pytest.raises(NotDone, match=r"serial: must be one of E66"):
        ask(farm.bus, "hang", "e66")
    with pytest.raises(NotDone, match=r"do: must be one of list, unplug"):
        ask(farm.bus, "explode", farm.one)
    second = [sys.executable, "-m", "sentry.boards.virtual", "--bus", str(farm.bus)]
    done = subprocess.run(second, cwd=ROOT, capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert (done.returncode, done.stderr) == (1, f"virtual boards: {farm.bus}: another bus runs here\n")
