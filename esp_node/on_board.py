"""What a board needs not ask: code for CPython is left out of what it gets, for build.py. CPython only."""

import ast

# On a board these hold; the last one because parts.py has left no names to late.call().
_TRUE = {
    "hasattr(time, 'ticks_ms')", "hasattr(gc, 'mem_free')", "sys.implementation.name == 'micropython'",
    "isinstance(module, int)",
}  # fmt: skip


def for_board(text: str) -> str:
    """`text` of a module without its branches for CPython."""
    return ast.unparse(_Decided().visit(ast.parse(text)))


class _Decided(ast.NodeTransformer):
    def visit_If(self, node: ast.If) -> ast.stmt | list[ast.stmt]:
        self.generic_visit(node)
        return node.body if ast.unparse(node.test) in _TRUE else node

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        self.generic_visit(node)
        return node.body if ast.unparse(node.test) in _TRUE else node
