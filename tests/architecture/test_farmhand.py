"""The one command: its words, its start-up check, and what a person sees of an error."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import typer

import farmhand

ROOT = Path(farmhand.__file__).parent


def run_farmhand(*arguments: str, home: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "farmhand", *arguments],
        cwd=home, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def words_of(app: typer.Typer) -> set[str]:
    commands = {
        command.name or command.callback.__name__.replace("_", "-")
        for command in app.registered_commands
        if command.callback
    }
    return commands | {group.name for group in app.registered_groups if group.name}


def test_help_names_every_word() -> None:
    shown = run_farmhand("--help").stdout
    assert all(f"  {word} " in shown for word in farmhand.PARTS)


@pytest.mark.parametrize("module", sorted({part.module for part in farmhand.PARTS.values() if not part.is_group}))
def test_top_level_words_are_those_of_the_app(module: str) -> None:
    listed = {word for word, part in farmhand.PARTS.items() if part.module == module}
    assert words_of(import_module(module).app) == listed


@pytest.mark.parametrize("word", farmhand.PARTS)
def test_every_word_is_answered(word: str) -> None:
    result = run_farmhand(word, "--help")
    assert result.returncode == 0, result.stderr
    assert f"farmhand {word}" in result.stdout


@pytest.mark.parametrize(
    ("word", "name"), [(word, name) for word, part in farmhand.PARTS.items() for name in part.others]
)
def test_a_command_of_another_package_stands_with_the_others(word: str, name: str) -> None:
    """`farmhand node flash` is the node's own; the rest of `farmhand node` asks the commander."""
    shown = run_farmhand(word, "--help").stdout
    assert all(f"│ {each} " in shown for each in (*words_of_group(word), name))
    assert f"Usage: farmhand {word} {name}" in run_farmhand(word, name, "--help").stdout
    wrong = run_farmhand(word, name)
    assert wrong.returncode == 2


def words_of_group(word: str) -> set[str]:
    app: typer.Typer = import_module(farmhand.PARTS[word].module).app
    if farmhand.PARTS[word].is_group:
        return words_of(app)
    return words_of(next(group.typer_instance for group in app.registered_groups if group.name == word))


def test_an_unknown_word_is_refused() -> None:
    result = run_farmhand("plough")
    assert result.returncode == 2
    assert "plough" in result.stderr


def test_our_names_are_ours() -> None:
    farmhand.check_packages(farmhand.PACKAGES, ROOT)


def test_a_name_of_another_distribution_is_refused() -> None:
    with pytest.raises(farmhand.ForeignPackage, match="'pytest' is installed by pytest"):
        farmhand.check_packages(["pytest"], ROOT)


def test_a_name_that_another_distribution_has_too_is_refused() -> None:
    """Where packages of all distributions lie, the place alone tells nothing."""
    with pytest.raises(farmhand.ForeignPackage, match="'pytest' is installed by pytest"):
        farmhand.check_packages(["pytest"], Path(pytest.__file__).parents[1])


def test_a_name_that_is_somewhere_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(farmhand.ForeignPackage, match=r"'schema' is at .*schema/__init__\.py"):
        farmhand.check_packages(["schema"], tmp_path)


def test_a_foreign_package_is_one_line_for_the_user(tmp_path: Path) -> None:
    """Somebody else's `schema` in the folder where farmhand is started wins the import."""
    (tmp_path / "schema").mkdir()
    (tmp_path / "schema" / "__init__.py").touch()
    result = run_farmhand("--help", home=tmp_path)
    assert result.returncode == 1
    assert result.stderr.startswith("farmhand: package 'schema' is at ")
    assert result.stderr.count("\n") == 1
    assert "Traceback" in run_farmhand("--debug", "status", home=tmp_path).stderr
