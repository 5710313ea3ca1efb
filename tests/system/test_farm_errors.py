"""What cannot work is said in one clear line, with an exit code other than 0."""

import ctypes
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.support.ports import free_ports
from tests.system.farm import farmhand

GOOD = """\
[domains.house]
home = true
port = {}
[domains.barn]
port = {}
[[links]]
a = "barn"
b = "house"
[commander]
http = "127.0.0.1:{}"
"""
# a change of GOOD, the line it is on, and words of the message: what is wrong, what is allowed
BROKEN = {
    "no TOML": ("home = true", "home = yes", 2, ("not TOML",)),
    "unknown key": (
        "home = true",
        "home = true\nhost_name = 1",
        3,
        ("unknown key 'host_name'", "allowed: home, host, port"),
    ),
    "wrong type": ("port = {1}", 'port = "x"', 5, ("port", "integer from 1 to 65535")),
    "unknown domain": ('b = "house"', 'b = "attic"', 8, ("'attic' is no domain", "allowed: house, barn")),
    "two homes": ("[domains.barn]", "[domains.barn]\nhome = true", 5, ("only one may have it",)),
    "link to itself": ('b = "house"', 'b = "barn"', 8, ("a link joins two domains",)),
    "bad id": ("[domains.barn]", "[domains.Barn]", 4, ("'Barn'", "a-z 0-9 _ -")),
    "bad address": ('http = "127.0.0.1:{2}"', 'http = "nowhere"', 10, ("host:port",)),
}


def one_line(*arguments: str | Path, **more: Any) -> str:
    """The one line that a failing command says."""
    done = farmhand(*arguments, **more)
    assert done.returncode != 0, done.stdout
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert done.stdout == ""
    return lines[0]


def state(folder: Path, text: str = "") -> Path:
    made = folder / "state"
    made.mkdir()
    (made / "farm.toml").write_text(text or GOOD.format(*free_ports(3)))
    return made


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_farm_toml_names_file_line_and_what_is_allowed(tmp_path: Path, case: str) -> None:
    old, new, line, words = BROKEN[case]
    numbers = free_ports(3)
    text = GOOD.format(*numbers)
    changed = text.replace(old.format(*numbers), new)
    assert changed != text
    said = one_line("up", "--state", state(tmp_path, changed))
    assert f"farm.toml:{line}: " in said, said
    for word in words:
        assert word in said


@pytest.mark.parametrize("field", ["domains.house.port", "domains.barn.port", "commander.http"])
def test_a_port_in_use_is_named(tmp_path: Path, field: str) -> None:
    numbers = free_ports(3)
    place = state(tmp_path, GOOD.format(*numbers))
    at = {"domains.house.port": 0, "domains.barn.port": 1, "commander.http": 2}[field]
    with socket.create_server(("127.0.0.1", numbers[at])):
        said = one_line("up", "--state", place)
    assert field in said
    assert f"{numbers[at]} is in use" in said


def test_an_address_that_is_not_here_is_named(tmp_path: Path) -> None:
    text = GOOD.format(*free_ports(3)).replace('http = "127.0.0.1', 'http = "nowhere.invalid')
    said = one_line("up", "--state", state(tmp_path, text))
    assert "commander.http: nowhere.invalid:" in said


@pytest.mark.broker
def test_a_steward_names_a_port_in_use(tmp_path: Path) -> None:
    """On a host of its own, where `up` does not look first."""
    numbers = free_ports(3)
    place = state(tmp_path, GOOD.format(*numbers))
    assert farmhand("broker", "kit", "barn", "--out", tmp_path / "kit", "--state", place).returncode == 0
    assert farmhand("broker", "install", tmp_path / "kit", tmp_path / "barn").returncode == 0
    with socket.create_server(("127.0.0.1", numbers[1])):
        said = one_line("broker", "up", tmp_path / "barn")
    assert f"{numbers[1]} is in use" in said


def test_missing_mosquitto_is_said(tmp_path: Path) -> None:
    missing = {**os.environ, "FARMHAND_MOSQUITTO": "/nowhere/mosquitto"}
    said = one_line("up", "--state", state(tmp_path), env=missing)
    assert "FARMHAND_MOSQUITTO" in said
    assert "/nowhere/mosquitto" in said


@pytest.mark.parametrize("command", ["up", "commander run"])
def test_a_wrong_setting_is_named(tmp_path: Path, command: str) -> None:
    said = one_line(*command.split(), "--state", state(tmp_path), env={**os.environ, "FARMHAND_BATCH_ROWS": "many"})
    assert "FARMHAND_BATCH_ROWS: Input should be a valid integer" in said


def test_no_permission_names_the_folder(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    # Root may write everywhere, unless it starts without this right.
    more: dict[str, Any] = {"preexec_fn": _without_override} if os.getuid() == 0 else {}
    said = one_line("up", "--state", closed / "farm", **more)
    assert f"{closed}/farm: Permission denied" in said


def _without_override() -> None:
    drop_from_bounding_set, override = 24, 1
    ctypes.CDLL(None).prctl(drop_from_bounding_set, override)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("status",), ("farm.toml does not exist", "farmhand up")),
        (("node", "list"), ("farm.toml does not exist",)),
        (("commander", "run"), ("farm.toml", "farmhand up")),
        (("broker", "up", "--domain", "house"), ("no broker is installed here",)),
        (("sentry", "run"), ("not enrolled", "farmhand sentry enrol")),
        (("sentry", "emit"), ("not enrolled",)),
        (("up", "--ports", "some"), ("--ports: must be fixed or auto, not some",)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_command_without_its_farm_says_what_to_do(
    tmp_path: Path, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    said = one_line(*arguments, "--state", tmp_path / "none")
    for word in words:
        assert word in said


def test_a_folder_below_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = one_line("up", "--state", tmp_path / "file" / "state")
    assert "Not a directory" in said
