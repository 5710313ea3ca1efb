"""avr.*: the rig's slave, the shipped ELF in yasimavr, which counts cycles as the chip does: every run gives the same.

Peers, as recorded once with the simulator simavr 1.6 by the method of these figures (the search of 0..1000 with a
target that no nonce meets, cycles by 1001): cycles per hash at 16 MHz.
  official AVR miner 4.3 (its README: 343 H/s)   47,436 = 337 H/s
  public patch "TURBO", pull request 1909        20,633 = 775 H/s
  the seed's printed session                     194 H/s = 82,474
"""

import re
import subprocess

from tests.avr.conftest import firmware
from tests.avr.virtual import SIMULATOR, VirtualRig, target
from tests.bench.figures import Benchmark, Figure, Unavailable
from tests.conftest import ROOT, program

MHZ = 16
ADDRESS = 11
LAST = "ba29a15896fd2d792d5c4b60668bf2b9feebc51d"
OFFICIAL_4_3 = 47_436
SIZES = re.compile(r"slave-16\.elf: (\d+) of \d+ bytes of flash, (\d+) of")


def cycles_per_hash(rig: VirtualRig, nonce: int, difficulty: int) -> float:
    """Of all nonces up to this one, by the slave's own clock, with a poll of its status every 100 ms."""
    rig.send_job(ADDRESS, 1, LAST, target(LAST, nonce), difficulty)
    _, found, got, elapsed, hashes = rig.wait_result(ADDRESS)
    if not found or got != nonce or hashes != nonce + 1:
        raise RuntimeError(f"nonce {nonce} was not found, but {got} after {hashes} hashes")
    rig.command(ADDRESS, "A")
    return elapsed * MHZ / hashes


def avr() -> dict[str, float]:
    if not program("avr-gcc") or not SIMULATOR.exists():
        raise Unavailable("avr-gcc or yasimavr is missing (make setup)")
    built = firmware()
    values: dict[str, float] = {}
    rig = VirtualRig(built / "slave-16.elf", 1)
    try:
        for name, nonce, difficulty in (
            ("avr.hash", 9999, 100),
            ("avr.hash.d10", 999, 10),
            ("avr.hash.d500", 49_999, 500),
        ):
            values[name] = cycles_per_hash(rig, nonce, difficulty)
            values[f"{name}/peer"] = OFFICIAL_4_3
        values["avr.rate"] = MHZ * 1e6 / values["avr.hash"]
        values["avr.rate/peer"] = MHZ * 1e6 / OFFICIAL_4_3
    finally:
        rig.close()
    sizes = subprocess.run(["make", "-sC", ROOT / "avr", "sizes"], capture_output=True, text=True, check=True).stdout
    match = SIZES.search(sizes)
    if not match:
        raise RuntimeError(f"no sizes in: {sizes}")
    values["avr.flash"], values["avr.ram"] = float(match[1]), float(match[2])
    return values


def benchmarks() -> list[Benchmark]:
    official = "official 4.3, recorded"
    figures = (
        Figure("avr.hash", "cycles", "lower", 5110, official),
        Figure("avr.hash.d10", "cycles", "lower", None, official),
        Figure("avr.hash.d500", "cycles", "lower", None, official),
        Figure("avr.rate", "H/s", "higher", 3131, official),
        Figure("avr.flash", "B", "lower", 30_720),
        Figure("avr.ram", "B", "lower", 1228),
    )
    return [Benchmark(figures, avr, runs=1)]
