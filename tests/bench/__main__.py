"""make bench [ONLY=prefix]"""

import sys
from importlib import import_module
from pathlib import Path

from tests.bench.figures import Benchmark, show


def main() -> int:
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    found: list[Benchmark] = []
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        found += import_module(f"tests.bench.{path.stem}").benchmarks()
    wanted = [b for b in found if any(f.name.startswith(only) for f in b.figures)]
    if not wanted:
        sys.exit(f"ONLY={only}: no figure begins so; there are: {', '.join(f.name for b in found for f in b.figures)}")
    for benchmark in wanted:
        for number in range(benchmark.runs):
            names = ", ".join(f.name for f in benchmark.figures)
            print(f"run {number + 1} of {benchmark.runs}: {names}", flush=True)
            try:
                values = benchmark.run()
            except Exception as error:  # one benchmark that cannot run here must not hide the others' figures
                for figure in benchmark.figures:
                    figure.missing = f"not measured: {error}"
                print(f"  {type(error).__name__}: {error}", flush=True)
                break
            for figure in benchmark.figures:
                if figure.name in values:
                    figure.values.append(values[figure.name])
                if f"{figure.name}/peer" in values:
                    figure.peer_values.append(values[f"{figure.name}/peer"])
            print("  " + ", ".join(f"{name} {value:,.4g}" for name, value in values.items()), flush=True)
    return 0 if show(figure for b in wanted for figure in b.figures) else 1


if __name__ == "__main__":
    sys.exit(main())
