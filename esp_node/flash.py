"""Puts the node on a board: build, look, copy what differs, configure, reset, listen. CPython only; transfer.py is the
way to the board, flash_config.py what a person wants there."""

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from esp_node import build, firmware
from esp_node.flash_config import Settings, Wish, settings_of
from esp_node.transfer import Board, BoardError, Look

OLDEST = (1, 19)
PACKAGES = ("esp_node", "schema")
BEGIN, END = b"# farmhand: begin", b"# farmhand: end"
OURS = b'"""main.py of a board: starts the node'
# Here people put files of their own.
OPEN_FOLDERS = ("/lib/esp_node/sensors/", "/lib/esp_node/steps/")
BAD_ENDS = ("token: refused", "the node has ended (", "the node starts again in", "button held:", "esp_node: ")
PROMPT = 'Type "help()"'
Say = Callable[[str], object]


@dataclass(frozen=True)
class Plan:
    """`copies`: path on the board -> file here; `same`: how many files are there already, byte for byte."""

    remove: list[str]
    folders: list[str]
    copies: dict[str, Path]
    same: int

    def size(self) -> int:
        return sum(path.stat().st_size for path in self.copies.values())


def flash(
    port: str,
    wish: Wish,
    say: Say,
    merge_boot: bool = True,
    umqtt: Path = Path(),
    made: Path | None = None,
    wait_s: float = 60,
) -> None:
    """Flash the board on `port`; BoardError, BuildFailed or Invalid say what is in the way. `umqtt`: folder with
    umqtt/simple.py for a board that has none. `made`: firmware.py's folder; None: make it now. `wait_s`: seconds to
    wait for the node to connect; 0: do not reset it."""
    settings = settings_of(wish)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest = firmware.load(made) if made else firmware.make(folder / "firmware")
        made = made or folder / "firmware"
        board = Board(port)
        look = board.look([*PACKAGES, "umqtt"])
        check(port, look, wish)
        say(f"{port}: {look.machine}, MicroPython {'.'.join(map(str, look.version))}, {look.free // 1024} KB free")
        wanted = _wanted(board, look, settings, {name: made / name for name in manifest["files"]}, folder / "new")
        if not merge_boot and (existing := look.files.get("/boot.py")) and existing[1]:
            del wanted["/boot.py"]
        if not look.has_umqtt and (client := umqtt / "umqtt" / "simple.py").is_file():
            compiled = folder / "umqtt" / "simple.mpy"
            build.compile_one(str(client), compiled, client.read_text(encoding="utf-8"))
            wanted["/lib/umqtt/simple.mpy"] = compiled
        plan = planned(look, wanted, settings.remove)
        check_room(port, look, plan)
        if plan.remove:
            say(f"removing {', '.join(plan.remove)}")
        say(f"copying {len(plan.copies)} files, {plan.size():,} bytes; {plan.same} are there already")
        board.change(plan.remove, plan.folders, plan.copies)
        if not look.has_umqtt and "/lib/umqtt/simple.mpy" not in wanted:
            say("fetching umqtt.simple")
            board.install("umqtt.simple")
        _verify(port, board.look([*PACKAGES, "umqtt"]), wanted)
    if wait_s:
        _listen(board, wait_s, wish.secrets(), say)


def check(port: str, look: Look, wish: Wish) -> None:
    if look.name != "micropython":
        raise BoardError(f"{port}: runs {look.name}; the node needs MicroPython")
    version = ".".join(map(str, look.version))
    if look.version[:2] < OLDEST or look.mpy != firmware.MPY_VERSION:
        raise BoardError(
            f"{port}: MicroPython {version} is too old; flash 1.19 or newer, best the newest (docs/node.md)"
        )
    if wish.keep_config and "/config.json" not in look.files:
        raise BoardError(f"{port}: --keep-config: the board has no config.json yet; give --token and --broker")


def planned(look: Look, wanted: dict[str, Path], forget: tuple[str, ...]) -> Plan:
    """What makes a board that looks so hold the files `wanted` (path on the board -> file here)."""
    copies = {path: file for path, file in wanted.items() if look.files.get(path) != _identity(file)}
    shadows = {path[:-4] + ".py" for path in wanted if path.endswith(".mpy")}
    old = [path for path in look.files if path.startswith(tuple(f"/lib/{name}/" for name in PACKAGES))]
    old = [path for path in old if path not in wanted and (path in shadows or not path.startswith(OPEN_FOLDERS))]
    old += [f"/{name}" for name in forget if f"/{name}" in look.files]
    folders = {str(parent) for path in copies for parent in PurePosixPath(path).parents} - {"/"} - look.folders
    return Plan(sorted(old), sorted(folders), copies, len(wanted) - len(copies))


def check_room(port: str, look: Look, plan: Plan) -> None:
    gone = sum(look.files[path][1] for path in [*plan.remove, *plan.copies] if path in look.files)
    if plan.size() > look.free + gone:
        raise BoardError(
            f"{port}: the board's flash is full: {plan.size() // 1024 + 1} KB are needed, "
            f"{(look.free + gone) // 1024} KB free; remove files of your own"
        )


def merged_boot(existing: bytes, ours: bytes) -> bytes:
    """A boot.py that does what both do: ours between its marks, all else of `existing` as it was."""
    begin, end = existing.find(BEGIN), existing.find(END)
    if begin < 0 and end < 0:
        return existing.rstrip() + b"\n\n" + ours if existing.strip() else ours
    if not 0 <= begin < end:
        raise BoardError("boot.py on the board: one of farmhand's two marks is missing; put it back, or remove both")
    after = existing.find(b"\n", end)
    return existing[:begin] + ours.rstrip() + (existing[after:] if after >= 0 else b"\n")


def _wanted(board: Board, look: Look, settings: Settings, made: dict[str, Path], new: Path) -> dict[str, Path]:
    """What shall be on the board, as path there -> file here; `new` is made, for files that are not in `made`."""
    wanted = {_place(name): file for name, file in made.items()}
    new.mkdir()

    def add(name: str, data: bytes) -> None:
        (new / name).write_bytes(data)
        wanted[f"/{name}"] = new / name

    for name, data in settings.files.items():
        add(name, data)
    if "/boot.py" in look.files:
        add("boot.py", merged_boot(board.read("/boot.py"), made["boot.py"].read_bytes()))
    if "/main.py" in look.files and look.files["/main.py"] != _identity(made["main.py"]):
        existing = board.read("/main.py")
        if existing.strip() and not existing.startswith(OURS):
            add("main.old.py", existing)
    return wanted


def _place(name: str) -> str:
    return f"/{name}" if name in firmware.ROOT_FILES else f"/lib/{name}"


def _verify(port: str, look: Look, wanted: dict[str, Path]) -> None:
    wrong = [path for path, file in wanted.items() if look.files.get(path) != _identity(file)]
    if wrong:
        raise BoardError(f"{port}: not what was written: {', '.join(sorted(wrong))}; try again, or another cable")
    if not look.has_umqtt:
        raise BoardError(f"{port}: umqtt.simple does not load on this board")


def _listen(board: Board, seconds: float, secrets: list[str], say: Say) -> None:
    last = ""
    for line in board.start(seconds):
        for secret in secrets:
            line = line.replace(secret, "***")
        if not line.strip():
            continue
        say(f"  {line}")
        if "connected to " in line:
            return
        if PROMPT in line or any(sign in line for sign in BAD_ENDS):
            problem = line.strip() if PROMPT not in line else f"the board is at its prompt, after {last or 'nothing'}"
            raise BoardError(f"{board.port}: the node did not start: {problem}")
        last = line.strip()
    raise BoardError(
        f"{board.port}: the node is on the board, but has not said within {seconds:.0f} s that it is connected; "
        "it goes on trying"
    )


def _identity(path: Path) -> tuple[str, int]:
    data = path.read_bytes()
    return hashlib.sha256(data).hexdigest(), len(data)
