"""Every setting, route and command is in docs/, and docs/ names none that does not exist."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

import farmhand
from commander.settings import Settings
from tests.commander.api import OPEN, ROLES, ROUTES
from tests.conftest import ROOT

EVERYWHERE = {"--help", "--json", "--state", "--url", "--key", "--limit"}


def text_of(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


def rows_of(name: str) -> list[tuple[str, str]]:
    """(what stands in the first column, the rest of the row) of each table row."""
    return re.findall(r"^\| `([^`]+)` \|(.*)$", text_of(name), re.MULTILINE)


def commands() -> Iterator[tuple[str, Any]]:
    for word, part in farmhand.PARTS.items():
        yield from below(word, farmhand.command_of(word, part))


def below(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    if hasattr(command, "commands"):
        for name, inner in command.commands.items():
            yield from below(f"{path} {name}", inner)
    else:
        yield path, command


COMMANDS = dict(commands())


def test_settings() -> None:
    documented = dict(rows_of("settings.md"))
    assert set(documented) == set(Settings.model_fields)
    for name, field in Settings.model_fields.items():
        if field.default not in ("", None):
            assert str(field.default) in documented[name], f"default of {name}"


def test_routes() -> None:
    documented = {route: rest.split("|")[0].strip() for route, rest in rows_of("api.md")}
    assert set(documented) == set(ROUTES)
    assert documented == {route: role for role, routes in ROLES.items() for route in routes}
    assert all(f"`{path}`" in text_of("api.md") for path in OPEN)


def test_filters_of_routes() -> None:
    general = {"limit", "offset", "before", "since", "until"}
    for route, rest in rows_of("api.md"):
        named = {field.alias for field in ROUTES[route].dependant.query_params} - general
        assert named <= set(re.findall(r"`(\w+)`", rest)) | {"device"} & set(rest.split()), route


@pytest.mark.parametrize("path", COMMANDS)
def test_commands(path: str) -> None:
    documented = {
        re.sub(r" [A-Z]+\b", "", row).removeprefix("farmhand "): row + rest for row, rest in rows_of("cli.md")
    }
    assert path in documented, f"docs/cli.md lacks farmhand {path}"
    options = {option for each in COMMANDS[path].params for option in each.opts if option.startswith("--")}
    missing = {option for option in options - EVERYWHERE if option not in documented[path]}
    assert not missing


def test_no_command_is_made_up() -> None:
    documented = {re.sub(r" [A-Z]+\b", "", row).removeprefix("farmhand ") for row, _ in rows_of("cli.md")}
    assert documented == set(COMMANDS)
