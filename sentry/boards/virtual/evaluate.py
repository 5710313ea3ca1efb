"""A bitstream's true answer: how often the pin that the pulse counter listens to rises within a second.

The bitstream becomes Verilog again (iceunpack, icebox_vlog), which is simulated over a short gate time (iverilog) and
scaled as a reciprocal counter does: by the time from the first rising edge to the last. So a circuit whose output is
periodic gets its exact count, whatever the gate.

The pins are those of the pico2-ice (tinyvision-ai-inc: pico-ice-sdk, rtl/pico_ice.pcf and include/boards/pico2_ice.h):
RP2350 GPIO 21 clocks the FPGA's pin 35; the pulse counter of the original listens to ICE_27 with GPIO 20.
"""

import asyncio
import hashlib
import json
import os
import tempfile
from collections import defaultdict
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from schema.boards import BITSTREAM_BYTES
from sentry.boards.virtual import tools
from sentry.boards.virtual.chip import CLOCK, COUNTED, Chip, Unfit, check, read, started

CLOCK_PIN, COUNTED_PIN = 35, 27
PINS = f"set_io {CLOCK} {CLOCK_PIN}\nset_io {COUNTED} {COUNTED_PIN}\n"
CLOCK_HZ = 12_000_000
COUNT_MS = 1000
GATE_MS = 10
LIMIT_S = 30  # of processor time, for each program
LONGER = 10  # times the gate, for an output too slow for it; and a part of it, for a circuit too large
OF_BITSTREAM = "Error: "
"""So begins what iceunpack says of a bitstream; of itself it says other things."""
BENCH = Path(__file__).with_name("bench.v")


class Refused(Exception):
    """This bitstream has no answer here; the text says why. The same bitstream is always refused."""


class NotFinished(Exception):
    """No answer this time, for what is not the bitstream's: the limits, a full disk."""


@dataclass(frozen=True, slots=True)
class Count:
    pulses: int
    gate_ms: int
    """How long the circuit was simulated; 0: there was nothing to simulate."""


@dataclass(frozen=True, slots=True)
class Edges:
    """Rising edges within a gate, times in half periods of the clock. ``longest``: between two of them, or before the
    first; ``moves``: whether anything behind the pin still changes in the end."""

    count: int
    first: int
    last: int
    longest: int
    moves: bool
    gate: int
    second: int

    @property
    def stopped(self) -> bool:
        """It rises no more."""
        return not self.moves or (self.count > 0 and self.gate - self.last > 2 * self.longest)

    @property
    def goes_on(self) -> bool:
        return self.count > 1 and not self.stopped

    def counted(self, gate_ms: int) -> Count:
        """Exact for a periodic output; Unfit for one that rose too seldom to tell."""
        if self.stopped or self.gate == self.second:
            return Count(self.count, gate_ms)
        if self.count < 2:
            rose = "rose once" if self.count else "never rose"
            raise Unfit(f"it {rose} within {gate_ms} ms, which is too seldom to scale; take a longer gate")
        return Count(1 + (self.second - 1 - self.first) * (self.count - 1) // (self.last - self.first), gate_ms)


class Evaluator:
    """Keeps answers in ``folder``, by the bitstream's sha256. Each bitstream is evaluated once, also when many ask."""

    def __init__(self, folder: Path, gate_ms: int = GATE_MS, clock_hz: int = CLOCK_HZ, limit_s: int = LIMIT_S) -> None:
        self.folder, self.gate_ms, self.clock_hz, self.limit_s = folder, gate_ms, clock_hz, limit_s
        folder.mkdir(parents=True, exist_ok=True)
        self._one_each: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._at_once = asyncio.Semaphore(os.cpu_count() or 1)
        self._others: dict[int, Evaluator] = {}

    def at(self, clock_hz: int) -> "Evaluator":
        """The same with another clock."""
        if clock_hz == self.clock_hz:
            return self
        if clock_hz not in self._others:
            self._others[clock_hz] = other = Evaluator(self.folder, self.gate_ms, clock_hz, self.limit_s)
            other._at_once = self._at_once
        return self._others[clock_hz]

    async def count(self, bitstream: bytes) -> Count:
        """Raises Refused, NotFinished, tools.NoTool."""
        digest = hashlib.sha256(bitstream).hexdigest()
        kept = self.folder / f"{digest}-{self.clock_hz}-{self.gate_ms}.json"
        async with self._one_each[digest]:
            answer = _load(kept)
            if answer is None:
                async with self._at_once:
                    answer = await self._answer(bitstream)
                _save(kept, answer)
        if "refused" in answer:
            raise Refused(answer["refused"])
        return Count(**answer)

    async def _answer(self, bitstream: bytes) -> dict[str, Any]:
        try:
            return asdict(await self._simulated(bitstream))
        except Unfit as error:
            return {"refused": str(error)}
        except tools.Failed as error:
            if not error.said.startswith(OF_BITSTREAM):
                raise NotFinished(str(error)) from None
            return {"refused": str(error)}
        except OSError as error:
            raise NotFinished(f"it cannot be evaluated now: {error.strerror}") from None
        except tools.TooLong:
            raise NotFinished(f"its simulation takes more than {self.limit_s} s; try a shorter gate") from None

    async def _simulated(self, bitstream: bytes) -> Count:
        if len(bitstream) != BITSTREAM_BYTES:
            raise Unfit(f"it has {len(bitstream):,} bytes instead of {BITSTREAM_BYTES:,}")
        with tempfile.TemporaryDirectory(prefix="bitstream-") as name:
            folder = Path(name)
            (folder / "chip.bin").write_bytes(bitstream)
            (folder / "pins.pcf").write_text(PINS)
            # Not into a file by itself: it does not see that a disk is full, and half a chip is another one.
            (folder / "chip.asc").write_text(await tools.run(folder, self.limit_s, "iceunpack", "chip.bin"))
            verilog = await tools.run(
                folder, self.limit_s, "icebox_vlog", "-d", "sg48", "-l", "-p", "pins.pcf", "chip.asc"
            )
            chip = read(verilog)
            behind = check(chip)
            if COUNTED not in chip.outputs or CLOCK not in chip.inputs:
                return Count(0, 0)
            (folder / "chip.v").write_text(started(verilog))
            try:
                edges = await self._gate(folder, chip, behind, self.gate_ms)
            except tools.TooLong:
                return await self._shorter(folder, chip, behind)
            longer = min(self.gate_ms * LONGER, COUNT_MS)
            if edges.goes_on or not edges.moves or longer == self.gate_ms:
                return edges.counted(self.gate_ms)
            try:
                return (await self._gate(folder, chip, behind, longer)).counted(longer)
            except tools.TooLong:
                return edges.counted(self.gate_ms)

    async def _shorter(self, folder: Path, chip: Chip, behind: list[str]) -> Count:
        """Of a circuit that is too large for the gate. Raises tools.TooLong where that does not help."""
        shorter = self.gate_ms // LONGER
        if not shorter:
            raise tools.TooLong
        edges = await self._gate(folder, chip, behind, shorter)
        if edges.moves and not edges.goes_on:
            raise tools.TooLong
        return edges.counted(shorter)

    async def _gate(self, folder: Path, chip: Chip, behind: list[str], gate_ms: int) -> Edges:
        ports = ", ".join(f".{port}({port})" for port in (CLOCK, COUNTED) if port in chip.inputs | chip.outputs)
        whole = half_periods(self.clock_hz, gate_ms)
        state = ", ".join((COUNTED, *(f"dut.{name}" for name in behind)))
        given = (f"-DPORTS={ports}", f"-DHALF_PERIODS={whole}", f"-DSTATE={{{state}}}", f"-DBITS={1 + len(behind)}")
        await tools.run(folder, self.limit_s, "iverilog", *given, "-o", "bench", str(BENCH), "chip.v")
        answer = (await tools.run(folder, self.limit_s, "vvp", "-n", "bench")).split()
        if answer == ["unknown"]:
            raise Unfit("at times nothing drives the counted pin, or nobody knows to what")
        count, first, last, longest, moves = map(int, answer)
        return Edges(count, first, last, longest, bool(moves), whole, half_periods(self.clock_hz, COUNT_MS))


def half_periods(clock_hz: int, ms: int) -> int:
    return 2 * clock_hz * ms // 1000


def _load(kept: Path) -> dict[str, Any] | None:
    try:
        return json.loads(kept.read_bytes())
    except (OSError, ValueError):
        return None


def _save(kept: Path, answer: dict[str, Any]) -> None:
    part = kept.with_suffix(f".{os.getpid()}")
    with suppress(OSError):  # then it is evaluated again
        part.write_text(json.dumps(answer))
        part.replace(kept)
