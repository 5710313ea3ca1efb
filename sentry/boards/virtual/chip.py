"""A chip as icebox_vlog writes it in Verilog: whether a simulation of it tells the truth. Pure.

Its language is small: ports, one `assign` or `always` a line, and a few hard blocks over several lines.
"""

import re
from dataclasses import dataclass, field

CLOCK, COUNTED = "clock", "counted"
MEMORY = "SB_RAM40_4K"
MEMORY_INPUTS = ("WADDR", "RADDR", "MASK", "WDATA", "WE", "WCLKE", "WCLK", "RE", "RCLKE", "RCLK")

_LITERAL = re.compile(r"\d+'[bh][0-9a-fA-FxzXZ]+|/\*.*?\*/|//.*")
_NAME = re.compile(r"[A-Za-z_]\w*")
_WORDS = frozenset(("assign", "always", "posedge", "negedge", "if", "else", "begin", "end", "or"))
_PORT = re.compile(r"(input|output|inout) (\w+)")
_TARGET = re.compile(r"assign (\w+)\s*=|(\w+) <=")
_BLOCK = re.compile(r"(SB_\w+)")
_GIVEN = re.compile(r"\.(\w+)\((.*)\),?$")
_DECLARED = re.compile(r"(wire|reg) ")
_UNSET = re.compile(r"^reg (\w+);", re.MULTILINE)
_CALLS_SIMULATOR = re.compile(r"[`$]")


class Unfit(Exception):
    """No simulation can tell what this circuit does on a board; the text says why."""


@dataclass(slots=True)
class Chip:
    """Ports, and for each net that something drives, the nets it comes from."""

    inputs: set[str] = field(default_factory=set[str])
    outputs: set[str] = field(default_factory=set[str])
    gates: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    flip_flops: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    blocks: set[str] = field(default_factory=set[str])
    """Kinds of hard blocks, e.g. SB_PLL40_PAD."""


def read(verilog: str) -> Chip:
    """Raises Unfit for a text that icebox_vlog does not write."""
    chip = Chip()
    block: dict[str, str] | None = None
    for raw in verilog.splitlines():
        line = _LITERAL.sub("", raw).strip()
        if _CALLS_SIMULATOR.search(line):
            raise Unfit("its description is no plain circuit")
        if line.startswith("module "):
            for way, name in _PORT.findall(line):
                (chip.inputs if way == "input" else chip.outputs).add(name)
        elif begins := _BLOCK.match(line):
            block = {"": begins[1]}
        elif block is not None:
            if given := _GIVEN.match(line):
                block[given[1]] = given[2]
            elif line == ");":
                _add_block(chip, block)
                block = None
        elif not _DECLARED.match(line) and (target := _TARGET.search(line)):
            names = set(_NAME.findall(line)) - _WORDS
            if target[1]:
                chip.gates[target[1]] = set(_NAME.findall(line.partition("=")[2]))
            else:
                chip.flip_flops[target[2]] = names - {target[2]}
    return chip


def _add_block(chip: Chip, block: dict[str, str]) -> None:
    """The outputs of a block that bench.v has; of any other nothing but its kind."""
    kind = block[""]
    chip.blocks.add(kind)
    if kind == MEMORY and block.get("READ_MODE") == block.get("WRITE_MODE") == "0":
        sources = {name for port in MEMORY_INPUTS for name in _NAME.findall(block.get(port, ""))}
        chip.flip_flops.update(dict.fromkeys(_NAME.findall(block.get("RDATA", "")), sources))


def check(chip: Chip) -> list[str]:
    """The flip-flops behind the counted pin; raises Unfit where that depends on something that only a real chip has.

    A simulator would not complain: a flip-flop on a clock that never comes counts 0, and a ring of inverters hangs."""
    if COUNTED not in chip.outputs:
        return []
    seen: set[str] = set()
    behind = [COUNTED]
    while behind:
        name = behind.pop()
        if name in seen or name == CLOCK:
            continue
        seen.add(name)
        sources = chip.gates.get(name, chip.flip_flops.get(name))
        if sources is None:
            raise Unfit(_missing(name, chip))
        behind.extend(sources)
    if _has_ring(chip, seen):
        raise Unfit("it has a loop of gates without a flip-flop, whose frequency is the single chip's own")
    return sorted(seen & chip.flip_flops.keys())


def started(verilog: str) -> str:
    """With every flip-flop at 0 in the beginning, as configuration leaves them: those of pins are written without."""
    return _UNSET.sub(r"reg \1 = 0;", verilog)


def _missing(name: str, chip: Chip) -> str:
    held = f"; the circuit has {', '.join(sorted(chip.blocks))}" if chip.blocks else ""
    if name in chip.inputs:
        return f"it needs {name}, an oscillator of the chip or a pin that nothing drives here{held}"
    return f"it needs {name}, which no logic cell drives: a PLL, a memory or another hard block{held}"


def _has_ring(chip: Chip, within: set[str]) -> bool:
    done: set[str] = set()
    for start in sorted(within & chip.gates.keys()):
        path: set[str] = set()
        ahead = [(start, False)]
        while ahead:
            name, left = ahead.pop()
            if left:
                path.remove(name)
                done.add(name)
            elif name in path:
                return True
            elif name not in done and name in chip.gates:
                path.add(name)
                ahead.append((name, True))
                ahead.extend((source, False) for source in chip.gates[name])
    return False
