"""One text of a playbook with placeholders -> the text that a miner gets. Pure.

An argument is rendered by itself and stays one argument, whatever is in it. Allowed are names, their parts,
conditions and a few filters, each looked at once: no loops, no calls, no arithmetic, so the work and the result are
bounded by the length of what is there. `$WORKER_NAME` and `%WAL%` are other ways to write some of the names.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

from jinja2 import StrictUndefined, Template, TemplateError, Undefined, UndefinedError, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

MOST = 4_096  # characters of a template, and of its result
NESTED = 40  # expressions inside of each other
FILTERS = ("join", "lower", "upper", "first", "last", "default", "length")
ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Const,
    nodes.CondExpr, nodes.If, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Concat,
    nodes.Filter, nodes.Test, nodes.Keyword,
)  # fmt: skip
# What the seed of this project and Hive OS call things.
ALIASES = {
    "$WORKER_NAME": "worker",
    "$CPU_WALLET": "cpu.address",
    "$CPU_POOL": "cpu.pool.url",
    "$GPU_WALLET_1": "gpu.address",
    "$GPU_WALLET_2": "gpu2.address",
    "$GPU_POOL_1": "gpu.pool.url",
    "$GPU_POOL_2": "gpu2.pool.url",
    "%WAL%": "address",
    "%WORKER_NAME%": "worker",
    "%URL%": "pool.url",
    "%URL_HOST%": "pool.host",
    "%URL_PORT%": "pool.port",
}
Paths = tuple[tuple[str, str], ...]  # (as it was written, the name it stands for)
PARTS = (nodes.Name, nodes.Getattr, nodes.Getitem)
_ALIAS = re.compile(r"\$[A-Z][A-Z0-9_]+|%[A-Z][A-Z0-9_]+%")


class Unrenderable(ValueError):
    """A text that cannot be rendered: says why."""


class _Environment(ImmutableSandboxedEnvironment):
    """Parts of a thing are what it holds by that name, never what Python can do with it."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Mapping) and isinstance(argument, str) and argument in obj:
            return cast("Mapping[str, Any]", obj)[argument]
        if isinstance(obj, list) and isinstance(argument, int) and 0 <= argument < len(cast("list[Any]", obj)):
            return cast("list[Any]", obj)[argument]
        return self.undefined(obj=obj, name=str(argument))


def _single(value: Any) -> Any:
    """What may stand in a result: one value, written as programs want it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float | Undefined):
        return value
    raise Unrenderable(f"{type(value).__name__} is not a single value: name one of its parts")


def render(text: str, names: Mapping[str, Any]) -> str:
    """`text` with its placeholders filled in; Unrenderable names what is missing or not allowed."""
    template, paths = _compiled(text)
    try:
        found = template.render(names) if template else text
    except UndefinedError as error:
        missing = next((written for written, path in paths if not _is_there(path, names)), "")
        raise Unrenderable(f"{missing} is missing here" if missing else str(error)) from None
    except Unrenderable:
        raise
    except (SecurityError, TemplateError, TypeError, ValueError, AttributeError, KeyError, IndexError) as error:
        raise Unrenderable(f"cannot be rendered: {str(error)[:200]}") from None
    if len(found) > MOST:
        raise Unrenderable(f"becomes {len(found)} characters; at most {MOST}")
    if "\x00" in found:
        raise Unrenderable("must not hold a NUL character")
    return found


def check(text: str) -> None:
    """Unrenderable unless the text could be rendered with some names."""
    _compiled(text)


def _join(value: Any, separator: str = "", attribute: str = "") -> str:
    # Of lists alone: joining the letters of a text, time and again, would make much of little.
    if not isinstance(value, list):
        raise Unrenderable("join needs a list")
    items = cast("list[Any]", value)
    return separator.join(str(_single(_environment.getitem(item, attribute) if attribute else item)) for item in items)


_environment = _Environment(
    undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True, finalize=_single, cache_size=0
)
_usual = cast("dict[str, Any]", _environment.filters)  # pyright: ignore[reportUnknownMemberType]
_environment.filters = {name: _usual[name] for name in FILTERS} | {"join": _join}
_environment.globals = {}


@lru_cache(4_096)
def _compiled(text: str) -> tuple[Template | None, Paths]:
    """The template (None: there is nothing to fill in), and the names in it."""
    if len(text) > MOST:
        raise Unrenderable(f"has {len(text)} characters; at most {MOST}")
    if "\r" in text:  # which Jinja would make a line feed of
        raise Unrenderable("must not hold a carriage return")
    if not any(mark in text for mark in ("{{", "{%", "{#", "$", "%")):
        return None, ()
    try:
        tree = _environment.parse(text)
        _check(tree, 0)
        paths = (*_fill_in_aliases(tree), *((path, path) for path in map(_path, tree.find_all(PARTS)) if path))
        code = _environment.compile(tree, "argument", "argument")
        return Template.from_code(_environment, code, {}), paths
    except Unrenderable:
        raise
    except TemplateError as error:
        raise Unrenderable(f"is no template: {error.message or type(error).__name__}") from None
    except (RecursionError, MemoryError, SyntaxError, ValueError, OverflowError):
        raise Unrenderable("is no template: nested too deeply, or a number is too long") from None


def _check(node: nodes.Node, depth: int) -> None:
    if depth > NESTED:
        raise Unrenderable("is nested too deeply")
    if not isinstance(node, ALLOWED):
        word = type(node).__name__.lower()
        raise Unrenderable(f"{word} is not allowed; only names, their parts, conditions, {', '.join(FILTERS)}")
    if isinstance(node, nodes.Filter):
        if node.name not in FILTERS:
            raise Unrenderable(f"there is no filter {node.name}; allowed: {', '.join(FILTERS)}")
        if node.dyn_args or node.dyn_kwargs or (node.name == "join" and not _plain(node)):
            raise Unrenderable(f"the filter {node.name} takes plain text only")
    for child in node.iter_child_nodes():
        _check(child, depth + 1)


def _plain(node: nodes.Filter) -> bool:
    given = [*node.args, *(keyword.value for keyword in node.kwargs)]
    return all(isinstance(value, nodes.Const) and isinstance(value.value, str) for value in given)


def _path(node: nodes.Node) -> str:
    """`pools[1].url`, as it was written; empty for what is no plain name."""
    match node:
        case nodes.Name():
            return node.name
        case nodes.Getattr():
            return f"{_path(node.node)}.{node.attr}"
        case nodes.Getitem(arg=nodes.Const(value=value)):
            return f"{_path(node.node)}[{value}]"
        case _:
            return ""


def _is_there(path: str, names: Mapping[str, Any]) -> bool:
    value: Any = names
    for name in re.findall(r"[^.\[\]]+", path):
        value = _environment.getitem(value, int(name) if name.isdecimal() else name)
    return not isinstance(value, Undefined)


def _fill_in_aliases(tree: nodes.Template) -> Paths:
    """Put names in the place of `$...` and `%...%`, in the text alone: what is filled in is not looked at again."""
    paths: list[tuple[str, str]] = []
    for output in tree.find_all(nodes.Output):
        parts: list[nodes.Expr] = []
        for part in output.nodes:
            parts += _split(part.data, paths) if isinstance(part, nodes.TemplateData) else [part]
        output.nodes = parts
    for node in tree.iter_child_nodes():
        node.set_environment(_environment)
    return tuple(paths)


def _split(data: str, paths: list[tuple[str, str]]) -> list[nodes.Expr]:
    found: list[nodes.Expr] = []
    at = 0
    for match in _ALIAS.finditer(data):
        path = ALIASES.get(match[0])
        if path is None:
            raise Unrenderable(f"{match[0]} is unknown; allowed: {', '.join(ALIASES)}")
        first, *rest = path.split(".")
        value: nodes.Expr = nodes.Name(first, "load", lineno=1)
        for name in rest:
            value = nodes.Getattr(value, name, "load", lineno=1)
        paths.append((match[0], path))
        found += [nodes.TemplateData(data[at : match.start()], lineno=1), value]
        at = match.end()
    return [*found, nodes.TemplateData(data[at:], lineno=1)]
