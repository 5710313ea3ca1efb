"""Makes one module of several that a running node always holds, for build.py. CPython only.

Each module costs a board its object, its dictionary, the imports of it and the names of its file, some 500 bytes
together. So those of BUNDLES become one each, and the node's others find their names there. Under its own name each
hands on what it defines, for whoever uses it without the node. The source stays as it is: a name may be public in one
module of a bundle only, and is imported without `as`.
"""

import ast

FIRST = "esp_node.run"  # main.py, which is never updated, knows this one
# Two, because what a node measures is put together before the link is there, as long as the heap has room for that.
BUNDLES = {
    FIRST: (
        "schema.errors", "esp_node.clock", "esp_node.logger", "esp_node.late", "esp_node.messages", "esp_node.sinks",
        "esp_node.scheduler", "esp_node.reading", "esp_node.node",
    ),
    "esp_node.connection": ("esp_node.client", "esp_node.outbox", "esp_node.link"),
}  # fmt: skip
MEMBERS = {member: bundle for bundle, members in BUNDLES.items() for member in members}


class NameTaken(ValueError):
    """Two modules of a bundle have the same public name."""


def bundled(bundle: str, sources: dict[str, str]) -> str:
    """Text of the module `bundle`; `sources` holds the text of each of its members."""
    body: list[ast.stmt] = []
    owners: dict[str, str] = {}
    for module in BUNDLES[bundle]:
        tree = ast.parse(sources[module])
        private = {name for name in _defined(tree) if name.startswith("_")}
        for name in _defined(tree) - private:
            if owners.setdefault(name, module) != module:
                raise NameTaken(f"{module}.{name}: the name is taken by {owners[name]}, and both become {bundle}")
        inside = _Rewritten(bundle, {name: _own(module, name) for name in private})
        body += [statement for statement in inside.visit(tree).body if not _is_docstring(statement)]
    imports = [each for each in body if isinstance(each, ast.Import | ast.ImportFrom)]
    rest = [each for each in body if not isinstance(each, ast.Import | ast.ImportFrom)]
    unique = {ast.unparse(each): each for each in imports}
    return "\n".join([*unique, *(ast.unparse(each) for each in rest)]) + "\n"


def outside(text: str) -> str:
    """Text of a module of no bundle, with what it takes from members taken from their bundles."""
    return ast.unparse(_Rewritten("", {}).visit(ast.parse(text)))


def reexported(module: str, text: str) -> str:
    """Text of what stands under the name of a member: its functions and classes."""
    tree = ast.parse(text)
    either = [node for branch in tree.body if isinstance(branch, ast.If) for node in (*branch.body, *branch.orelse)]
    public = {node.name for node in (*tree.body, *either) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    names = sorted(name for name in public if not name.startswith("_"))
    handed_on = [alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    return f"from {MEMBERS[module]} import {', '.join(names or sorted(_defined(tree)) or handed_on)}\n"


class _Rewritten(ast.NodeTransformer):
    """Imports of members become imports of their bundle, or nothing in the bundle itself."""

    def __init__(self, bundle: str, renamed: dict[str, str]) -> None:
        self._bundle = bundle
        self._renamed = renamed  # private names at the head of this module
        self._modules: dict[str, str] = {}  # name that stands for a member here -> name of its bundle, or ""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | list[ast.AST] | None:
        if node.module in MEMBERS:
            if MEMBERS[node.module] == self._bundle:
                return None
            node.module = MEMBERS[node.module]
            return node
        kept: list[ast.alias] = []
        for alias in node.names:
            bundle = MEMBERS.get(f"{node.module}.{alias.name}")
            if bundle is None:
                kept.append(alias)
                continue
            # A name that nothing else here has: `node` is often an argument.
            here = alias.asname or alias.name
            self._modules[here] = "" if bundle == self._bundle else f"_in_{bundle.rpartition('.')[2]}"
            if bundle != self._bundle and not any(each.asname == self._modules[here] for each in kept):
                kept.append(ast.alias(bundle.rpartition(".")[2], self._modules[here]))
        node.names = kept
        return node if kept else None

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if isinstance(node.value, ast.Name) and node.value.id in self._modules:
            bundle = self._modules[node.value.id]
            if not bundle:
                return ast.Name(node.attr, node.ctx)
            node.value.id = bundle
            return node
        self.generic_visit(node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self._renamed.get(node.id, node.id)
        return node

    def visit_Global(self, node: ast.Global) -> ast.Global:
        node.names = [self._renamed.get(name, name) for name in node.names]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        # Methods have names of their own; only what stands at the head of a module is renamed.
        node.name = self._renamed.get(node.name, node.name) if node.col_offset == 0 else node.name
        self.generic_visit(node)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        node.name = self._renamed.get(node.name, node.name)
        self.generic_visit(node)
        return node


def _own(module: str, name: str) -> str:
    prefix = module.rpartition(".")[2]
    return f"_{prefix.upper() if name.isupper() else prefix}{name}"


def _defined(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            names.add(statement.name)
        elif not isinstance(statement, ast.Import | ast.ImportFrom):
            parts = list(ast.walk(statement))
            names |= {part.id for part in parts if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
            names |= {part.name for part in parts if isinstance(part, ast.FunctionDef | ast.ClassDef)}
    return names


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
