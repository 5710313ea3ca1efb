"""Bitstreams for a pico2-ice, built by yosys, nextpnr-ice40 and icepack, and kept between runs by what they come from.

Pins: pico-ice-sdk, rtl/pico_ice.pcf (tinyvision-ai-inc); 35 is clocked by the RP2350, 27 is counted.
"""

import asyncio
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from sentry.boards import virtual
from sentry.boards.virtual.evaluate import Evaluator
from tests.conftest import LOCAL, LOCAL_PROGRAMS, program
from tests.support.kept import kept

KEPT = LOCAL / "circuits"
NEEDED = ("yosys", "nextpnr-ice40", "icepack", "iceunpack", "icebox_vlog", "iverilog", "vvp")
PINS = "set_io clock 35\nset_io counted 27\n"

OSCILLATOR = """
module top(output counted);
  wire fast;
  reg [3:0] count = 0;
  SB_HFOSC oscillator(.CLKHFPU(1'b1), .CLKHFEN(1'b1), .CLKHF(fast));
  always @(posedge fast) count <= count + 1;
  assign counted = count[3];
endmodule
"""

MEMORY = """
module top(input clock, output counted);
  reg [15:0] words [0:255];
  reg [15:0] word = 0;
  reg [7:0] at = 0;
  integer i;
  initial for (i = 0; i < 256; i = i + 1) words[i] = i * i * 7;
  always @(posedge clock) begin
    at <= at + 1;
    word <= words[at];
    words[at] <= word + 3;
  end
  assign counted = word[2];
endmodule
"""


def memory_pulses(clock_hz: int, ms: int) -> int:
    """What MEMORY gives within that time, one clock after the other."""
    words = [at * at * 7 & 0xFFFF for at in range(256)]
    word = pulses = 0
    for edge in range(clock_hz * ms // 1000):
        at = edge % 256
        words[at], before, word = (word + 3) & 0xFFFF, word, words[at]
        pulses += (~before & word & 4) == 4
    return pulses


def need_tools() -> None:
    if missing := [name for name in NEEDED if not program(name)]:
        pytest.skip(f"{', '.join(missing)} not on this machine; `make setup` tries to get them")


def divider(by: int) -> str:
    """Verilog. Its output rises at the clock's edge number by - 1, and at each `by`-th after that."""
    return f"""
module top(input clock, output counted);
  reg [{(by - 1).bit_length() - 1}:0] count = 0;
  always @(posedge clock) count <= count == {by - 1} ? 0 : count + 1;
  assign counted = count == {by - 1};
endmodule
"""


def write_dividers(folder: Path, dividers: Iterable[int]) -> dict[int, Path]:
    """Bitstreams by what they divide the clock by."""
    made = {by: folder / f"by-{by}.bin" for by in dividers}
    for by, path in made.items():
        path.write_bytes(bitstream(divider(by)))
    return made


def pulses(by: int, clock_hz: int = 12_000_000) -> int:
    """What a divider gives within a second."""
    return (clock_hz + 1) // by


def bitstream(source: str) -> bytes:
    programs = os.pathsep.join((str(LOCAL_PROGRAMS), os.environ["PATH"]))
    versions = [_run(".", programs, name, "--version") for name in ("yosys", "nextpnr-ice40")]
    digest = hashlib.sha256("\0".join([source, PINS, *versions]).encode()).hexdigest()[:32]
    kept = KEPT / f"{digest}.bin"
    if not kept.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=KEPT) as name:
            _build(Path(name), programs, source).replace(kept)
    return kept.read_bytes()


def answer_before(bus: Path, bitstreams: Iterable[bytes]) -> None:
    """Have virtual boards on that bus know the answers, so that an evaluation takes them no longer than a real one."""
    asked = list(bitstreams)
    evaluation = [path.read_bytes() for path in sorted(Path(virtual.__file__).parent.iterdir()) if path.is_file()]

    async def answered(folder: Path) -> None:
        await asyncio.gather(*map(Evaluator(folder).count, asked))

    answers = kept("answers", [*asked, *evaluation], lambda folder: asyncio.run(answered(folder)))
    shutil.copytree(answers, bus / "answers", dirs_exist_ok=True)


def _build(folder: Path, programs: str, source: str) -> Path:
    (folder / "top.v").write_text(source)
    (folder / "pins.pcf").write_text(PINS)
    place = ("--up5k", "--package", "sg48", "--pcf", "pins.pcf", "--json", "top.json", "--asc", "top.asc")
    for command in (
        ("yosys", "-q", "-p", "synth_ice40 -top top -json top.json", "top.v"),
        ("nextpnr-ice40", "-q", *place),
        ("icepack", "top.asc", "top.bin"),
    ):
        _run(folder, programs, *command)
    return folder / "top.bin"


def _run(folder: str | Path, programs: str, *command: str) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": programs},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{command[0]}: {done.stderr}"
    return done.stdout + done.stderr
