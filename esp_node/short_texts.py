"""Short texts that do not become names, for build.py. CPython only."""

import ast
from collections.abc import Collection

from esp_node.rename import names_of
from esp_node.rom_names import IN_ROM

_NAME_MOST = 10  # bytes


def unnamed(text: str, known: Collection[str]) -> str:
    """`text`, of a module that is loaded for a moment, with its short texts in one piece, out of which they are cut
    when they are needed: a compiler makes a name of every text of up to ten bytes, and a name stays when the module has
    gone. `known`: texts that are names anyhow."""
    tree = ast.parse(text)
    cut = _Cut(known)
    cut.visit(tree)
    if not cut.pieces:
        return text
    # MicroPython does not look at the encoding.
    helper = ast.parse(f"_TEXTS = {bytes(cut.pieces)}\ndef _text_at(start, end): return str(_TEXTS[start:end], '')")
    has_docstring = isinstance(tree.body[0], ast.Expr) and isinstance(tree.body[0].value, ast.Constant)
    tree.body[has_docstring:has_docstring] = helper.body
    return ast.unparse(tree)


class _Cut(ast.NodeTransformer):
    def __init__(self, known: Collection[str]) -> None:
        self._known = known
        self.pieces = bytearray()

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if not isinstance(node.value, str) or len(node.value.encode()) > _NAME_MOST or node.value in self._known:
            return node
        piece = node.value.encode()
        start = self.pieces.find(piece)
        if start < 0:
            start = len(self.pieces)
            self.pieces += piece
        place = [ast.Constant(start), ast.Constant(start + len(piece))]
        return ast.Call(ast.Name("_text_at", ast.Load()), place, [])

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        return node if isinstance(node.value, ast.Constant) else self.generic_visit(node)


def spoken(text: str) -> set[str]:
    """All names and texts in a module."""
    tree = ast.parse(text)
    texts = {part.value for part in ast.walk(tree) if isinstance(part, ast.Constant) and isinstance(part.value, str)}
    return texts | {name for part in ast.walk(tree) for name in names_of(part)} | set(IN_ROM)
