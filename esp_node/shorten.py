"""Python text with short names, for build.py: every name that occurs in a board's code stays in its heap for ever.

Renamed are the private names and the parameters, in each file to the same few: to names of methods of str, list and
dict, which every firmware holds in its ROM. A parameter with a default keeps its name (a caller may say it), and
so does one that shares it with something that other files can see. CPython only.
"""

import ast
import re
from collections.abc import Collection, Iterator

from esp_node.rom_names import IN_ROM, SPECIAL

_DEFINITIONS = (ast.FunctionDef, ast.ClassDef)
_FIELDS: dict[type[ast.AST], str] = {
    ast.Name: "id",
    ast.arg: "arg",
    ast.Attribute: "attr",
    ast.FunctionDef: "name",
    ast.ClassDef: "name",
    ast.alias: "asname",
    ast.ExceptHandler: "name",
}


def shortened(text: str, taken: Collection[str] = ()) -> str:
    """`text` with short private names and parameters, and private numbers made constants; `taken` are names in ROM that
    mean something already."""
    # Nine digits: a number beyond 31 bits is no constant to mpy-cross, and would call a name that nobody defines.
    tree = ast.parse(re.sub(r"^(_[A-Z_]+) = (\d{1,9})(?=\s*(#|$))", r"\1 = const(\2)", text, flags=re.MULTILINE))
    nodes = list(ast.walk(tree))
    private = {name for node in nodes if (name := _name(node)) and re.fullmatch(r"_[A-Za-z]\w*", name)}
    local = set(_parameters(nodes)) - set(_kept(tree, nodes)) - private - {"self"}
    constants = set(_constants(tree))
    used = {name for node in nodes for name in (_name(node), getattr(node, "attr", None)) if name}
    free = iter(
        [name for name in IN_ROM if name not in used and name not in taken] + [f"_{number}" for number in range(100)]
    )
    short = dict(
        zip(
            sorted(local - constants),
            (name for name in SPECIAL if name not in used and name not in taken),
            strict=False,
        )
    )
    short |= {name: next(free) for name in sorted((local | private) - constants - set(short))}
    # Only behind an underscore does a constant vanish from the bytecode.
    short |= {name: f"_c{number}" for number, name in enumerate(sorted(constants))}
    for node in nodes:
        name = _name(node)
        if name in private or (name in local and isinstance(node, ast.Name | ast.arg | ast.ExceptHandler)):
            setattr(node, _FIELDS[type(node)], short[name])
        if isinstance(node, ast.Global):
            node.names = [short.get(name, name) for name in node.names]
    return ast.unparse(tree)


def _name(node: ast.AST) -> str | None:
    return getattr(node, _FIELDS[type(node)]) if type(node) in _FIELDS else None


def _constants(tree: ast.Module) -> Iterator[str]:
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="const"))):
                yield name
            case _:
                pass


def _parameters(nodes: list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            plain = len(node.args.args) - len(node.args.defaults)
            yield from (argument.arg for argument in node.args.args[:plain])


def _kept(tree: ast.Module, nodes: list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            plain = len(node.args.args) - len(node.args.defaults)
            yield from (argument.arg for argument in node.args.args[plain:])
        if isinstance(node, _DEFINITIONS):
            yield node.name
        if isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
    for statement in tree.body:
        if not isinstance(statement, _DEFINITIONS):
            yield from (node.id for node in ast.walk(statement) if isinstance(node, ast.Name))
