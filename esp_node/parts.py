"""Modules that are only loaded late as parts of one file, for build.py. CPython only.

A module that is imported leaves three names in the heap for ever: its own, its file's, and its last word. So what
nobody else imports is no file of its own on a board: it stands behind the code of the node's first module, whose loader
does not read that far, and late.py finds it there by its number.
"""

import ast
from collections.abc import Iterable

_OFFSET = 4  # bytes; late.py reads them

# What people import in their programs; the host's declarations.
_FILES = ("esp_node.thingflow", "esp_node.writers", "schema.kinds", "schema.message", "schema.wire")
_FOLDERS = ("esp_node.sensors", "esp_node.steps")  # of files that are found by their names
# Parts that own sensors, steps and programs may import: a file hands on what is in them.
_BOTH = (
    "esp_node.common", "esp_node.logfile", "esp_node.sensors._options", "esp_node.steps._options",
    "esp_node.steps._step",
)  # fmt: skip


def numbered(modules: Iterable[str]) -> dict[str, int]:
    """Those of `modules`, none of a bundle, that become parts: {module: number}."""
    parts = [name for name in modules if name not in _FILES and not _is_listed(name)]
    return {name: number for number, name in enumerate(parts)}


def _is_listed(module: str) -> bool:
    package, _, name = module.rpartition(".")
    return package in _FOLDERS and (name == "__init__" or not name.startswith("_"))


def stand_ins(numbers: dict[str, int]) -> list[str]:
    """The parts that have a file with their name as well, stand_in() its text."""
    return [module for module in numbers if module in _BOTH]


def stand_in(module: str, text: str, numbers: dict[str, int]) -> str:
    """Text of the file `module` that hands on what the part's `text` defines and imports."""
    names: set[str] = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.name for alias in node.names}
    return linked(f"from {module} import {', '.join(sorted(names))}", numbers)


def linked(text: str, numbers: dict[str, int]) -> str:
    """`text` of a module in which late.loaded(number) stands for imports of parts, and numbers for their full names."""
    tree = ast.parse(text)
    imports = _Imports(numbers)
    imports.visit(tree)
    if imports.found:
        has_docstring = isinstance(tree.body[0], ast.Expr) and isinstance(tree.body[0].value, ast.Constant)
        tree.body.insert(has_docstring, ast.parse("from esp_node.late import loaded").body[0])
    return ast.unparse(ast.fix_missing_locations(tree))


class _Imports(ast.NodeTransformer):
    def __init__(self, numbers: dict[str, int]) -> None:
        self._numbers = numbers
        self.found = False

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant(self._numbers.get(node.value, node.value)) if isinstance(node.value, str) else node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> list[ast.stmt]:
        rest: list[ast.alias] = []
        loads: list[ast.stmt] = []
        for alias in node.names:
            inside, module = self._numbers.get(node.module or ""), self._numbers.get(f"{node.module}.{alias.name}")
            if inside is not None:
                loads += ast.parse(f"{alias.asname or alias.name} = loaded({inside}).{alias.name}").body
            elif module is not None:
                loads += ast.parse(f"{alias.asname or alias.name} = loaded({module})").body
            else:
                rest.append(alias)
        self.found = self.found or bool(loads)
        node.names = rest
        return [node, *loads] if rest else loads


def packed(first: bytes, parts: list[bytes]) -> bytes:
    """The file of the module `first` with `parts` (.mpy) behind it, and at the end where each of them begins."""
    whole, offsets = first, b""
    for part in parts:
        offsets = len(whole).to_bytes(_OFFSET, "little") + offsets  # the first one's last
        whole += part
    return whole + offsets


def unpacked(whole: bytes, number: int) -> bytes:
    """The part `number` of a packed() file, with all that is behind it, which an import does not read."""
    at = len(whole) - _OFFSET * (number + 1)
    return whole[int.from_bytes(whole[at : at + _OFFSET], "little") :]
