"""A figure, its bar and its peer, and how they are shown."""

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

RESULT = Path("build/bench.json")
SHORT = bool(os.environ.get("FARMHAND_BENCH_SHORT"))
SHORTER = 10


class Unavailable(Exception):
    """This machine lacks a program that the benchmark needs, or is too slow for it; says which."""


def seconds(full: float) -> float:
    """The length of a measurement: a tenth in a short run, which shows that all benchmarks work."""
    return full / SHORTER if SHORT else full


@dataclass(frozen=True)
class Benchmark:
    """Names it measures (a run is skipped when none begins with ONLY), and the function that does one run: name ->
    value.
    """

    figures: tuple["Figure", ...]
    run: Callable[[], dict[str, float]]
    runs: int = 3


@dataclass
class Figure:
    """better: "higher" or "lower". bar: None when the issue sets none. peer: what is measured beside it in the same
    run. note: what there is to say of the last run.
    """

    name: str
    unit: str
    better: str
    bar: float | None = None
    peer: str = ""
    values: list[float] = field(default_factory=list[float])
    peer_values: list[float] = field(default_factory=list[float])
    missing: str = ""
    note: str = ""

    def record(self) -> dict[str, object]:
        """The entry of build/bench.json."""
        value = median(self.values) if self.values else None
        peer_value = median(self.peer_values) if self.peer_values else None
        ok = None
        if value is not None and self.bar is not None:
            ok = value >= self.bar if self.better == "higher" else value <= self.bar
        ratio = value / peer_value if value is not None and peer_value else None
        kept = {
            k: v for k, v in asdict(self).items() if k in ("name", "unit", "better", "bar", "peer", "missing", "note")
        }
        return {**kept, "value": value, "ok": ok, "peer_value": peer_value, "ratio": ratio, "runs": self.values}


def show(figures: Iterable[Figure]) -> bool:
    """Print the table, write build/bench.json; False when a bar is missed."""
    records = [figure.record() for figure in figures]
    table = Table("figure", "median", "unit", "bar", "", "peer", "ratio", "spread", header_style="dim")
    for column in (1, 3, 6):
        table.columns[column].justify = "right"
    for r in records:
        runs = r["runs"]
        assert isinstance(runs, list)
        spread = f"{_number(min(runs))} .. {_number(max(runs))} ({len(runs)} runs)" if runs else r["missing"]
        spread = r["note"] or spread
        verdict = {True: "[green]ok[/]", False: "[red]missed[/]", None: ""}[r["ok"]]  # type: ignore[index]
        sign = ">= " if r["better"] == "higher" else "<= "
        bar = sign + _number(r["bar"]) if r["bar"] is not None else ""
        peer = f"{r['peer']}: {_number(r['peer_value'])}" if r["peer_value"] is not None else ""
        ratio = f"{r['ratio']:.2f}" if isinstance(r["ratio"], float) else ""
        table.add_row(str(r["name"]), _number(r["value"]), str(r["unit"]), bar, verdict, peer, ratio, str(spread))
    Console(width=140).print(table)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(records, indent=1))
    return all(r["ok"] is not False for r in records)


def _number(value: object) -> str:
    if not isinstance(value, int | float):
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
