"""The parts of the boards' sentry that take values and return values, and the two ways to find a board."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.boards import BITSTREAM_BYTES
from schema.message import Invalid
from sentry.boards.bitstream import check_bitstream
from sentry.boards.core import KINDS, State, register
from sentry.boards.disk import copy_onto
from sentry.boards.faults import BoardFailed, Refused
from sentry.boards.folder import FolderSource
from sentry.boards.hub import Hub
from sentry.boards.settings import BoardSettings, load_boards
from sentry.boards.states import __path__ as states_folder
from sentry.boards.states import load_kinds
from sentry.boards.udev import UdevSource, together
from sentry.boards.uf2 import check_uf2
from sentry.boards.usb import Device, changes, device
from sentry.errors import SentryError
from sentry.rules import report
from tests.boards.small_board import bitstream, uf2
from tests.conftest import ROOT

SERIALS = st.dictionaries(st.sampled_from("abcde"), st.sampled_from([None, Path("/dev/ttyACM0"), Path("/dev/ttyACM1")]))
ANYTHING = st.sampled_from([None, 7, "", "2e8a", "000F", "E66A", "/dev/x", [], {}]) | st.text(max_size=5)


@given(SERIALS, SERIALS)
def test_changes_lead_from_one_look_to_the_next(old: dict[str, Path | None], new: dict[str, Path | None]) -> None:
    before, after = ({name: Device(name, "2e8a", "000f", tty) for name, tty in each.items()} for each in (old, new))
    seen = dict(before)
    for change in changes(before, after):
        if change.what == "removed":
            assert seen.pop(change.device.serial) == change.device
        else:
            assert (change.what == "changed") == (change.device.serial in seen)
            assert seen.get(change.device.serial) != change.device
            seen[change.device.serial] = change.device
    assert seen == after


@given(st.lists(ANYTHING, min_size=6, max_size=6))
def test_a_stranger_makes_no_device(told: list[Any]) -> None:
    try:
        found = device(*told)
    except Invalid:
        return
    assert found.vendor in ("2e8a", "1209")


def test_a_folder_as_a_bus(tmp_path: Path) -> None:
    source = FolderSource(tmp_path / "bus", 1)
    assert source.look() == {}

    def write(name: str, body: object) -> None:
        (tmp_path / "bus" / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "bus" / name / "device.json").write_text(body if isinstance(body, str) else json.dumps(body))

    good = {"vendor": "2E8A", "product": "000f", "serial": "E66A", "tty": "/dev/pts/5", "disk": None}
    write("good", good)
    for name, body in (("cut", '{"vendor'), ("list", []), ("keyboard", {**good, "vendor": "046d"}), ("no-name", {})):
        write(name, body)
    (tmp_path / "bus" / "stray").touch()
    assert source.look() == {"e66a": Device("e66a", "2e8a", "000f", Path("/dev/pts/5"))}
    write("good", {**good, "tty": None, "disk": str(tmp_path)})
    assert source.look()["e66a"].disk == tmp_path


def test_devices_of_udev() -> None:
    found = [
        ("1-1.1", ("E661A", "1209", "b1c0")),
        ("1-1.2", ("E661B", "2e8a", "000f")),
        ("1-1.3", ("", "2e8a", "000f")),
        ("2-1", ("0001", "1d6b", "0002")),
    ]
    nodes = [("1-1.1", "/dev/ttyACM1"), ("1-1.1", "/dev/ttyACM0"), ("1-1.2", "/dev/sda"), ("1-1.2", "/dev/sda1")]
    assert together(found, nodes) == {
        "e661a": Device("e661a", "1209", "b1c0", Path("/dev/ttyACM0"), None, "1-1.1"),
        "e661b": Device("e661b", "2e8a", "000f", None, Path("/dev/sda1"), "1-1.2"),
    }
    pytest.importorskip("pyudev", exc_type=ImportError)
    assert all(each.vendor in ("2e8a", "1209") for each in UdevSource().look().values())


def test_what_is_not_used_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    found = [("3-3", ("AA1", "1209", "b1c0")), ("3-1", ("aa1", "1209", "b1c0")), ("3-2", ("E 6", "2e8a", "000a"))]
    for _ in range(2):
        assert together(found, []) == {"aa1": Device("aa1", "1209", "b1c0", None, None, "3-1")}
    twice, odd = "aa1 is plugged in twice; only the one at 3-1 is used", "the USB device on port 3-2 (2e8a:000a) is not"
    assert [each.startswith(start) for each, start in zip(caplog.messages, (odd, twice), strict=True)] == [True, True]
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        told = {"serial": "AA2", "vendor": "1209", "product": "b1c0", "tty": f"/dev/{name}"}
        (tmp_path / name / "device.json").write_text(json.dumps(told))
    assert FolderSource(tmp_path, 1).look()["aa2"].tty == Path("/dev/a")
    assert "aa2 is plugged in twice; only the one at /dev/a is used" in caplog.messages


def test_the_udev_rule_names_the_vendors() -> None:
    text = (ROOT / "deploy" / "60-farmhand-boards.rules").read_text()
    assert all(f'ATTRS{{idVendor}}=="{vendor}"' in text for vendor in ("2e8a", "1209"))
    assert "plugdev" in text


@given(st.binary(max_size=1100) | st.builds(uf2, st.text("abc", max_size=8), st.integers(1, 3)), st.data())
def test_uf2(content: bytes, data: st.DataObject) -> None:
    try:
        count = check_uf2(content)
    except Invalid:
        return
    assert len(content) == 512 * count
    at = data.draw(st.integers(0, count - 1)) * 512 + data.draw(st.sampled_from([0, 1, 4, 7, 508, 511]))
    with pytest.raises(Invalid, match="block"):
        check_uf2(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])


@given(st.integers(0, 2**32 - 1), st.integers(-2, 2))
def test_bitstreams(pulses: int, longer: int) -> None:
    good = bitstream(pulses)
    check_bitstream(good)
    if longer:
        with pytest.raises(Invalid, match=str(BITSTREAM_BYTES)):
            check_bitstream((good + b"xx")[: BITSTREAM_BYTES + longer])
    with pytest.raises(Invalid, match="preamble"):
        check_bitstream(good.replace(bytes((0x7E, 0xAA)), b"xx", 1))


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "boards.toml"
    file.write_text('usb = "/bus"\nresult_s = 3\n[firmware]\ndefault = "/a.uf2"\nvariance = "/v.uf2"\n')
    environ = {
        "FARMHAND_BOARD_CONFIG": str(file),
        "FARMHAND_BOARD_DEFAULT": "/b.uf2",
        "FARMHAND_BOARD_PULSE_COUNT": "/p.uf2",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FARMHAND_BOARD_RESULT_S", "4")
        found = load_boards(environ)
    assert (found.usb, found.result_s, found.file_of("default")) == ("/bus", 4, Path("/b.uf2"))
    assert (found.file_of("variance"), found.file_of("pulse_count")) == (Path("/v.uf2"), Path("/p.uf2"))
    for name, value, problem in (
        ("FARMHAND_BOARD_RESLT_S", "3", "FARMHAND_BOARD_RESLT_S: no such setting"),
        ("FARMHAND_BOARD_VARIANCE", "/v.uf2", "FARMHAND_BOARD_DEFAULT: missing"),
        ("FARMHAND_BOARD_CONFIG", "/nowhere.toml", "FARMHAND_BOARD_CONFIG: /nowhere.toml: "),
    ):
        with pytest.raises(SentryError, match=problem):
            load_boards({name: value})
    for text, problem in (
        ("reslt_s = 3\n", "boards.toml: reslt_s: Extra inputs"),
        ("result_s = 0\n", "boards.toml: result_s: "),
        ('[firmware]\nvariance = "/v.bin"\n', "FARMHAND_BOARD_VARIANCE: /v.bin: must be a file that ends in"),
    ):
        file.write_text(text)
        with pytest.raises(SentryError, match=problem):
            load_boards(environ)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("RESULT_S", value) for value in ("", "0", "nan", "3601", "soon")),
        *(("FIRMWARE", value) for value in ("", "a", "[]", '{"default": 3}')),
        *(("USB", ""), ("FAILURES", "0"), ("WAITING", "1.5"), ("MODEL", "")),
    ],
)
def test_a_bad_value_names_its_variable(name: str, value: str, tmp_path: Path) -> None:
    file = tmp_path / "boards.toml"
    file.write_text("result_s = 3\nusb = '/bus'\n[firmware]\ndefault = '/a.uf2'\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FARMHAND_BOARD_CONFIG", str(file))
        patch.setenv(f"FARMHAND_BOARD_{name}", value)
        with pytest.raises(SentryError, match=f"^FARMHAND_BOARD_{name}: "):
            load_boards()


def test_settings_are_documented() -> None:
    text = (ROOT / "docs" / "boards-host.md").read_text()
    for name, field in BoardSettings.model_fields.items():
        assert f"| `{name}` |" in text, name
        default = field.default
        if isinstance(default, int | float | str) and default != "":
            assert f"| `{name}` | {default if isinstance(default, str) else f'{default:g}'} |" in text, name


@pytest.mark.parametrize("path", sorted(Path(next(iter(states_folder))).glob("[a-z]*.py")), ids=lambda path: path.stem)
def test_each_file_of_states_is_one_state(path: Path) -> None:
    load_kinds()
    found = [each for each in every(State) if each.__module__ == f"sentry.boards.states.{path.stem}"]
    assert len(found) == 1
    (state,) = found
    assert bool(state.kind) == bool(state.firmware)
    assert KINDS.get(state.kind, state) is state
    if state.kind:
        text = (ROOT / "docs" / "boards-host.md").read_text()
        assert f"`{state.kind}`" in text
        assert f"FARMHAND_BOARD_{state.firmware.upper()}" in text


def every(state: type[State]) -> list[type[State]]:
    return [found for each in state.__subclasses__() for found in (each, *every(each))]


class Sums(State):
    @register("add", "left", "right", "files")
    def add(self, left: int, right: int = 1, files: Mapping[str, Any] | None = None) -> int:
        return left + right + len(files or {})


@given(st.dictionaries(st.sampled_from(["left", "right", "files", "up"]), st.integers()), st.booleans())
def test_arguments_of_a_method(args: dict[str, int], with_file: bool) -> None:
    method = Sums.methods["add"]
    files = {"a": b""} if with_file else {}
    if wrong := {"up", "files"} & set(args) or {"left"} - set(args):
        with pytest.raises(Refused, match=f"args.({'|'.join(wrong)}): "):
            method.arguments(args, files)
        return
    found = method.arguments(args, files)
    assert Sums.add(None, **found) == args["left"] + args.get("right", 1) + len(files)  # pyright: ignore


def test_ports_of_a_hub() -> None:
    hub = Hub("1-1", "sh")
    assert [hub.port_of(port) for port in ("1-1.4", "1-1.4.2", "1-10", "", "2-1.4")] == ["4", "", "", "", ""]
    assert Hub("1-1", "no-such-program").port_of("1-1.4") == ""
    assert Hub("", "sh").port_of("1-1.4") == ""


def test_a_disk_that_cannot_be_written(tmp_path: Path) -> None:
    copy_onto(tmp_path, "a.uf2", uf2("a"))
    assert (tmp_path / "a.uf2").read_bytes() == uf2("a")
    (tmp_path / "full.uf2").symlink_to("/dev/full")
    with pytest.raises(BoardFailed, match="No space left"):
        copy_onto(tmp_path, "full.uf2", uf2("a"))


def test_a_report_before_the_first_document() -> None:
    told: dict[str, Any] = {"rev": 0, "status": "applied", "data": {}}
    memory, said = report({}, "leases", told)
    assert [each.data for each in said] == [told]
    memory["wanted"] = {"leases": {"rev": 1, "data": {}}}
    assert report(memory, "leases", told) == (memory, [])
