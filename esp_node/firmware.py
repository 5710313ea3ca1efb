"""Makes the files of a real board: .mpy, package.json for mip, main.py, boot.py, manifest.json. CPython only.

    python -m esp_node.firmware [target folder]        (`make firmware`: build/firmware)

umqtt.simple is not among them: firmware of an ESP32 has it, and mip fetches it for the others (`deps`).
"""

import hashlib
import json
import shutil
import sys
from importlib import metadata
from pathlib import Path

from esp_node.build import SOURCE, BuildFailed, compile_all, compile_slots, sources

MPY_VERSION = 6
ROOT_FILES = ("main.py", "slots.mpy", "boot.py")  # they go to the root of a board's flash; all else goes to its lib
DEPENDENCIES = [["umqtt.simple", "latest"]]
_BLOCK = 4096  # bytes: what LittleFS gives a file at least, on ESP8266, ESP32 and RP2 alike


def make(target: Path) -> dict:
    """Write the firmware's files into `target`, in place of an earlier build there. Returns the manifest,
    {"version": text, "files": {path in `target`: [sha256 in hex, size in bytes]}}. BuildFailed says what is missing."""
    if target.exists() and any(target.iterdir()) and not (target / "manifest.json").is_file():
        raise BuildFailed(f"{target}: holds something else; name an empty folder")
    shutil.rmtree(target, ignore_errors=True)
    compiled = compile_all(target, sources())
    for path in (*compiled, compile_slots(target)):
        check_header(path)
    for name in ("main.py", "boot.py"):
        shutil.copyfile(SOURCE / "esp_node" / name, target / name)
    modules = sorted({path.relative_to(target).as_posix() for path in compiled})
    manifest = {
        "version": metadata.version("farmhand"),
        "files": {name: _identity(target / name) for name in [*modules, *ROOT_FILES]},
    }
    package = {
        "urls": [[name, name] for name in modules],
        "deps": DEPENDENCIES,
        "version": manifest["version"],
    }
    (target / "package.json").write_text(json.dumps(package, indent=1) + "\n")
    (target / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    return manifest


def load(folder: Path) -> dict:
    """The manifest of firmware that was made before; BuildFailed when a file is not as it says."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        wrong = [name for name, identity in manifest["files"].items() if _identity(folder / name) != identity]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BuildFailed(f"{folder}: no firmware there (`make firmware` makes it): {error}") from None
    if wrong:
        raise BuildFailed(f"{folder}: not as manifest.json says: {', '.join(wrong)}; make it anew")
    return manifest


def check_header(path: Path) -> None:
    """Raise BuildFailed unless a board from MicroPython 1.19 on can load the .mpy file: version 6, bytecode only,
    whole numbers of at most 31 bits (docs of MicroPython, "MicroPython .mpy files")."""
    magic, version, features, small_int_bits = path.read_bytes()[:4]
    if (magic, version) != (ord("M"), MPY_VERSION):
        raise BuildFailed(f"{path}: is .mpy version {version}, boards need {MPY_VERSION}; take another mpy-cross")
    if features or small_int_bits > 31:
        raise BuildFailed(f"{path}: is made for one processor (features {features}, {small_int_bits} bits)")


def table(manifest: dict) -> str:
    """Sizes for people: each file, what lies in flash, and what that takes there in blocks."""
    files = manifest["files"]
    rows = [f"{size:8,}  {name}" for name, (_, size) in sorted(files.items())]
    total = sum(size for _, size in files.values())
    return "\n".join([*rows, f"{total:8,}  bytes in {len(files)} files, {on_flash(files) // 1024} KB of flash"])


def on_flash(files: dict) -> int:
    """Bytes of flash that the files of a manifest take, in whole blocks."""
    return sum(-(-size // _BLOCK) * _BLOCK for _, size in files.values())


def _identity(path: Path) -> list:
    data = path.read_bytes()
    return [hashlib.sha256(data).hexdigest(), len(data)]


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build/firmware")
    try:
        print(table(make(folder)))
    except BuildFailed as error:
        sys.exit(f"firmware: {error}")
    print(f"\nin {folder}; onto a board: farmhand node flash PORT, or mpremote mip install {folder}/package.json")
