"""make bench [ONLY=prefix] [SHORT=1]"""

import sys
from importlib import import_module
from pathlib import Path

from tests.bench.figures import SHORT, Benchmark, Unavailable, show


def main() -> int:
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    found: list[Benchmark] = []
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        found += import_module(f"tests.bench.{path.stem}").benchmarks()
    wanted = [b for b in found if any(f.name.startswith(only) for f in b.figures)]
    if not wanted:
        sys.exit(f"ONLY={only}: no figure begins so; there are: {', '.join(f.name for b in found for f in b.figures)}")
    broken = [benchmark for benchmark in wanted if not measure(benchmark)]
    held = show(figure for benchmark in wanted for figure in benchmark.figures)
    return 0 if not broken and (held or SHORT) else 1


def measure(benchmark: Benchmark) -> bool:
    """All runs of one benchmark; False when it broke, which must not hide the figures of the others."""
    runs = 1 if SHORT else benchmark.runs
    names = ", ".join(figure.name for figure in benchmark.figures)
    for number in range(runs):
        print(f"run {number + 1} of {runs}: {names}", flush=True)
        try:
            values = benchmark.run()
        except Exception as error:
            for figure in benchmark.figures:
                figure.missing = f"not measured: {error}"
            print(f"  {type(error).__name__}: {error}", flush=True)
            return isinstance(error, Unavailable)
        for figure in benchmark.figures:
            figure.values.append(values[figure.name])
            if f"{figure.name}/peer" in values:
                figure.peer_values.append(values[f"{figure.name}/peer"])
        print("  " + ", ".join(f"{name} {value:,.4g}" for name, value in values.items()), flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
