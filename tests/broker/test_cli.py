"""farmhand broker check, show, kit, install: as a person calls them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from broker.bootstrap import bootstrap
from broker.cli import app
from broker.domains import load
from broker.errors import BrokerError

FARM = """
[domains.house]
home = true
port = 1
[domains.barn]
port = 2
[domains.shed]
port = 3
[[links]]
a = "barn"
b = "house"
flow = "a-to-b"
"""


def test_check_names_what_cannot_be_reached(tmp_path: Path) -> None:
    (tmp_path / "farm.toml").write_text(FARM)
    found = CliRunner().invoke(app, ["check", str(tmp_path / "farm.toml")])
    assert found.exit_code == 1
    assert "warning: barn: no way back" in found.output
    assert "error: shed: no link leads to or from home (house)" in found.output


def test_show_prints_routes_for_people_and_programs(tmp_path: Path) -> None:
    (tmp_path / "farm.toml").write_text(FARM)
    assert "barn-house" in CliRunner().invoke(app, ["show", str(tmp_path / "farm.toml")]).output
    shown = CliRunner().invoke(app, ["show", str(tmp_path / "farm.toml"), "--json"])
    routes = json.loads(shown.output)["routes"]
    assert routes["barn"] == {"to_home": ["barn-house"], "from_home": None}


def test_kit_travels_and_bootstrap_changes_no_secret(tmp_path: Path) -> None:
    state, there = tmp_path / "state", tmp_path / "there"
    state.mkdir()
    (state / "farm.toml").write_text(FARM)
    bootstrap(load(FARM), state)
    secrets = state / "commander" / "secrets.json"
    before = secrets.read_bytes()
    bootstrap(load(FARM), state)
    assert secrets.read_bytes() == before
    assert secrets.stat().st_mode & 0o777 == 0o600
    out = str(tmp_path / "barn.kit")
    made = CliRunner().invoke(app, ["kit", "barn", "--out", out, "--state", str(state)])
    assert made.exit_code == 0, made.output
    assert CliRunner().invoke(app, ["install", out, str(there)]).exit_code == 0
    assert json.loads((there / "kit.json").read_bytes())["domain"] == "barn"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["check", "none.toml"], "none.toml: cannot read: No such file"),
        (["install", "none.kit", "x"], "none.kit: cannot read: No such file"),
        (["up", "nowhere"], "no broker is installed here"),
    ],
)
def test_errors_are_one_line_for_a_person(arguments: list[str], says: str) -> None:
    failed = CliRunner().invoke(app, arguments)
    assert failed.exit_code != 0
    assert isinstance(failed.exception, BrokerError)
    assert says in failed.exception.user_message
    assert "\n" not in failed.exception.user_message
