"""schema/*.py has no annotations (MicroPython reads it): the .pyi beside each says the same names and parameters."""

import ast
from pathlib import Path

import pytest

import schema

FOLDER = Path(schema.__file__).parent
STUBS = sorted(path.stem for path in FOLDER.glob("*.pyi"))


def face(path: Path) -> dict[str, list[str]]:
    """Function or method -> its parameters, with a `=` where there is a default."""
    found: dict[str, list[str]] = {}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef):
                    found[f"{node.name}.{inner.name}"] = parameters(inner)
    for node in ast.parse(path.read_text()).body:
        for inner in ast.walk(node) if isinstance(node, ast.Try) else [node]:
            if isinstance(inner, ast.FunctionDef):
                found.setdefault(inner.name, parameters(inner))
    return {
        name: given for name, given in found.items() if not name.split(".")[-1].startswith("_") or "__init__" in name
    }


def parameters(function: ast.FunctionDef) -> list[str]:
    names = [argument.arg for argument in function.args.args]
    plain = len(names) - len(function.args.defaults)
    return [name if number < plain else name + "=" for number, name in enumerate(names)]


def test_there_are_stubs() -> None:
    assert {"message", "topics", "trust", "wire"} <= set(STUBS)


@pytest.mark.parametrize("name", STUBS)
def test_a_stub_says_what_the_file_says(name: str) -> None:
    assert face(FOLDER / f"{name}.pyi") == face(FOLDER / f"{name}.py")
