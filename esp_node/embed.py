"""Makes umqtt.simple a part of the node's own code where its source is at hand, for build.py. CPython only.

As a module of its own it costs a board two modules, thirty names, and at its loading the code of all the methods that
link.py takes out again. A board that has it in its ROM does not need this.
"""

import ast
from collections.abc import Callable

CLIENT, LINK = "esp_node.client", "esp_node.link"


def embedded(text_of: Callable[[str], str], umqtt: str) -> Callable[[str], str]:
    """`text_of(module)` with the text `umqtt` in the place of client.py, and without imports of umqtt.simple."""
    taken_out, link = _without_loop(ast.parse(text_of(LINK)))
    texts = {CLIENT: _without(ast.parse(umqtt), taken_out), LINK: ast.unparse(link)}

    def text(module: str) -> str:
        if module not in texts:
            texts[module] = ast.unparse(_NotImported().visit(ast.parse(text_of(module))))
        return texts[module]

    return text


def _without_loop(tree: ast.Module) -> tuple[set[str], ast.Module]:
    """What `for _name in (...): setattr(MQTTClient, _name, None)` names, and the rest of the module."""
    for statement in tree.body:
        match statement:
            case ast.For(iter=ast.Tuple(elts=names), body=[ast.Expr(ast.Call(func=ast.Name("setattr")))]):
                tree.body.remove(statement)
                return {ast.literal_eval(name) for name in names}, tree
            case _:
                pass
    raise ValueError(f"{LINK}: does not say what it replaces")


def _without(tree: ast.Module, methods: set[str]) -> str:
    for statement in tree.body:
        if isinstance(statement, ast.ClassDef):
            statement.body = [part for part in statement.body if getattr(part, "name", "") not in methods]
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    imports = [each for each in tree.body if isinstance(each, ast.Import | ast.ImportFrom)]
    unused = [each for each in imports if not used & {alias.asname or alias.name for alias in each.names}]
    tree.body = [each for each in tree.body if each not in unused]
    return ast.unparse(tree)


class _NotImported(ast.NodeTransformer):
    def visit_Import(self, node: ast.Import) -> ast.Import | None:
        return None if node.names[0].name == "umqtt.simple" else node
