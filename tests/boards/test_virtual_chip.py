"""What can be told of a circuit, and what only a real chip knows. The circuits are as icebox_vlog writes them."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from schema.boards import BITSTREAM_BYTES
from sentry.boards.virtual import tools
from sentry.boards.virtual.chip import Unfit, check, read, started
from sentry.boards.virtual.evaluate import Count, Edges, Evaluator, NotFinished, Refused, half_periods
from tests.boards.circuits import MEMORY, bitstream, divider, memory_pulses, need_tools, pulses

HEAD = "module chip (input clock, output counted{});\nwire clock;\n"
TOGGLE = "/* FF 18 30  1 */ always @(posedge clock) if (1'b1) counted <= 1'b0 ? 1'b0 : n1;\n"
NOT = "assign n1  = /* LUT   18 30  1 */ !counted;\n"
RAM = (
    "SB_RAM40_4K #(\n  .READ_MODE({0}),\n  .WRITE_MODE({0})\n) ram (\n"
    "  .RDATA({{open_0, counted}}),\n  .RCLK(clock)\n);\n"
)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (NOT + TOGGLE, ""),
        ("assign counted = clock;\n", ""),
        (TOGGLE, "it needs n1, which no logic cell drives"),
        (NOT + TOGGLE.replace("clock", "n9"), "it needs n9"),
        (NOT + TOGGLE.replace("1'b1", "n5"), "it needs n5"),
        (NOT + TOGGLE.replace("clock", "pin_23"), "it needs pin_23, an oscillator of the chip or a pin"),
        ("assign counted = n1;\nassign n1 = n2;\nassign n2 = !n1;\n", "a loop of gates without a flip-flop"),
        ("assign counted = clock;\nassign n1 = n2;\nassign n2 = !n1;\n", ""),
        ("SB_PLL40_PAD #(\n) PLL_12_31 (\n  .LOCK(n1),\n);\n" + TOGGLE, "the circuit has SB_PLL40_PAD"),
        (RAM.format(0), ""),
        (RAM.format(1), "the circuit has SB_RAM40_4K"),
        (RAM.format(0).replace("(clock)", "(n8)"), "it needs n8"),
        ('assign counted = clock;\ninitial $system("x");\n', "no plain circuit"),
        ("assign counted = clock;\n`include `x\n", "no plain circuit"),
    ],
)
def test_what_cannot_be_simulated_is_refused(body: str, says: str) -> None:
    inputs = ", input pin_23" if "pin_23" in body else ""
    text = HEAD.format(inputs) + body + "endmodule\n"
    if not says:
        check(read(text))
        return
    with pytest.raises(Unfit, match=says):
        check(read(text))


def test_a_long_chain_of_gates_is_no_loop() -> None:
    """A carry chain crosses the whole chip, and many gates may share one source."""
    chain = "".join(f"assign n{number} = n{number + 1} & n{number + 2};\n" for number in range(5000))
    ends = "assign n5000 = clock;\nassign n5001 = clock;\n"
    check(read(HEAD.format("") + "assign counted = n0;\n" + chain + ends))


def test_all_flip_flops_begin_at_0() -> None:
    assert started("reg n5;\nreg n6 = 0;\nwire n7;\n") == "reg n5 = 0;\nreg n6 = 0;\nwire n7;\n"


@pytest.mark.parametrize("by", [2, 3, 7, 1000, 59_999])
@pytest.mark.parametrize("phase", [0, 1])
def test_periodic_edges_are_counted_exactly_over_any_gate(by: int, phase: int) -> None:
    clock, gate_ms = 12_000_000, 10
    gate, second = half_periods(clock, gate_ms), half_periods(clock, 1000)
    rises = range(by * (1 + phase) - 1, gate, 2 * by)
    edges = Edges(len(rises), rises[0], rises[-1], max(rises[0], 2 * by), True, gate, second)
    assert edges.goes_on
    assert edges.counted(gate_ms) == Count(len(range(rises[0], second, 2 * by)), gate_ms)


def test_what_does_not_go_on_is_not_scaled() -> None:
    gate, second = 240_000, 24_000_000
    assert Edges(0, 0, 0, 0, False, gate, second).counted(10) == Count(0, 10)
    assert Edges(0, 0, 0, 0, True, second, second).counted(1000) == Count(0, 1000)
    assert Edges(5, 10, 50, 10, True, gate, second).counted(10) == Count(5, 10)
    assert Edges(1, 200_000, 200_000, 200_000, False, gate, second).counted(10) == Count(1, 10)
    assert Edges(3, 9, 239_999, 200_000, True, second, second).counted(1000) == Count(3, 1000)
    with pytest.raises(Unfit, match="rose once within 10 ms"):
        Edges(1, 200_000, 200_000, 200_000, True, gate, second).counted(10)
    with pytest.raises(Unfit, match="never rose within 10 ms"):
        Edges(0, 0, 0, 0, True, gate, second).counted(10)


ONCE = """
module top(input clock, output counted);
  reg [7:0] at = 0;
  always @(posedge clock) if (at < 100) at <= at + 1;
  assign counted = at == {};
endmodule
"""


def test_what_is_still_and_what_is_only_slow(tmp_path: Path) -> None:
    """A count of 0 is told of a circuit that stands still, not of one whose first pulse is behind the gate."""
    need_tools()
    evaluator = Evaluator(tmp_path, gate_ms=10, clock_hz=12_000)

    async def all_of(*sources: str) -> list[Any]:
        return await asyncio.gather(*(evaluator.count(bitstream(each)) for each in sources), return_exceptions=True)

    never, once, later, slow = asyncio.run(all_of(ONCE.format(255), ONCE.format(50), ONCE.format(100), divider(6000)))
    assert (never, once, later) == (Count(0, 10), Count(1, 10), Count(1, 10))
    assert "it never rose within 100 ms" in str(slow)
    whole = Evaluator(tmp_path, gate_ms=1000, clock_hz=12_000)
    assert asyncio.run(whole.count(bitstream(divider(6000)))) == Count(pulses(6000, 12_000), 1000)


def test_a_program_has_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "find", lambda name: name)
    busy, greedy = "while True: pass", f"x = bytes({4 * 1024 * tools.MEMORY_KIB})"
    with pytest.raises(tools.TooLong):
        asyncio.run(tools.run(tmp_path, 1, sys.executable, "-c", busy))
    with pytest.raises(tools.Failed, match="MemoryError"):
        asyncio.run(tools.run(tmp_path, 10, sys.executable, "-c", greedy))


def test_strange_bitstreams_are_refused_and_remembered(tmp_path: Path) -> None:
    need_tools()

    async def all_of(*files: bytes) -> list[str]:
        evaluator = Evaluator(tmp_path)
        found = await asyncio.gather(*(evaluator.count(file) for file in files), return_exceptions=True)
        assert all(isinstance(each, Refused) for each in found)
        return [str(each) for each in found]

    short, empty, wild = b"x", bytes(BITSTREAM_BYTES), bytes.fromhex("7eaa997e") + b"\xff" * (BITSTREAM_BYTES - 4)
    first = asyncio.run(all_of(short, empty, wild, empty))
    assert first[0] == f"it has 1 bytes instead of {BITSTREAM_BYTES:,}"
    assert all(each.startswith("iceunpack: ") for each in first[1:])
    assert len(list(tmp_path.glob("*.json"))) == 3
    assert asyncio.run(all_of(short, empty, wild, empty)) == first


def test_what_is_not_the_bitstreams_fault_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need_tools()
    evaluator, file = Evaluator(tmp_path / "answers", gate_ms=10, clock_hz=12_000), bitstream(divider(7))

    def refused_so(problem: str) -> None:
        with pytest.raises(NotFinished, match=problem):
            asyncio.run(evaluator.count(file))
        assert list((tmp_path / "answers").iterdir()) == []

    with monkeypatch.context() as patch:
        patch.setattr(tools, "MEMORY_KIB", 20_000)
        refused_so("iceunpack: ")
    with monkeypatch.context() as patch:
        patch.setattr(tools, "FILE_BLOCKS", 1)
        refused_so("iverilog: ")
    with monkeypatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
        refused_so("it cannot be evaluated now: No such file")
    (tmp_path / "answers").rmdir()  # and what cannot be kept is told nevertheless
    assert asyncio.run(evaluator.count(file)) == Count(pulses(7, 12_000), 10)


def test_a_block_memory_is_read_and_written(tmp_path: Path) -> None:
    """Each of 12,000 clocks against the same circuit in Python; no pulse of it is periodic."""
    need_tools()
    evaluator = Evaluator(tmp_path, gate_ms=1000, clock_hz=12_000)
    assert asyncio.run(evaluator.count(bitstream(MEMORY))) == Count(memory_pulses(12_000, 1000), 1000)


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "PLACES", "/nowhere")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(tools.NoTool, match="iceunpack is not on this machine: install Debian's fpga-icestorm"):
        tools.check()
