"""node.ram.*: the smallest heap (64-bit; a 32-bit board needs two thirds) in which a node with link, scheduler, three
sensors and two steps comes up, sends what the steps make and answers a command; and what its modules take. The table of
all modules is tests/node/ram.json.
"""

import tempfile
from pathlib import Path

from esp_node.build import build
from tests.bench.figures import SHORT, Benchmark, Figure
from tests.node.ram import RESIDENT, lives, measured
from tests.node.rig import UMQTT

BAR_KB = 48
STEP_KB = 2
MOST_KB = 128


def ram() -> dict[str, float]:
    """Bisects between the bar and what is certainly enough."""
    with tempfile.TemporaryDirectory(prefix="farmhand-bench-") as name:
        folder = Path(name)
        main = build(folder / "node", UMQTT)
        modules = measured(main)
        enough, short = MOST_KB, BAR_KB - STEP_KB
        if SHORT and lives(main, folder / "bar", BAR_KB):
            enough = BAR_KB
        while not SHORT and enough - short > STEP_KB:
            middle = (enough + short) // 2 // STEP_KB * STEP_KB
            enough, short = (middle, short) if lives(main, folder / str(middle), middle) else (enough, middle)
        if SHORT and enough > BAR_KB and not lives(main, folder / "short", MOST_KB):
            raise RuntimeError(f"a node does not come up in {MOST_KB} KB")
    return {"node.ram.heap": enough, "node.ram.resident": sum(modules[module] for module in RESIDENT) / 1024}


def benchmarks() -> list[Benchmark]:
    figures = (
        Figure("node.ram.heap", "KB", "lower", BAR_KB),
        Figure("node.ram.resident", "KB", "lower"),
    )
    return [Benchmark(figures, ram, 1)]
