"""Short names for what the node's files share, for build.py: functions, classes and attributes get, in all files alike,
names that every firmware holds in its ROM. CPython only.

A name keeps itself when it may come from elsewhere: when it is also a text somewhere (a key, a topic), belongs to
something that is imported from outside, or is made for those who write sensors and programs of their own (OPEN).
"""

import ast
import builtins
import io
import socket
import types
from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from esp_node.bundle import MEMBERS
from esp_node.rom_names import FOR_FUNCTIONS, IN_ROM

# Modules that people import on a board, and what every sensor and step is asked for: there, names are an interface.
OPEN = (
    "esp_node.common", "esp_node.logfile", "esp_node.sensors._options", "esp_node.thingflow", "esp_node.writers",
)  # fmt: skip
_ASKED_FOR = {
    "NAME", "FIELDS", "UNITS", "DIGITS", "OPTIONS", "create", "get", "describe", "emit", "log", "main",
    "mono_ms", "unix_ms", "Invalid", "field", "problem",
}  # fmt: skip
# Methods of objects that no import shows, of the machine and of its network.
_OF_THE_MACHINE = {
    "active", "atten", "config", "connect", "convert_temp", "crc8", "deinit", "disconnect", "feed", "ifconfig",
    "init", "irq", "isconnected", "measure", "memory", "off", "on", "read_temp", "read_u16", "read_uv", "readbit",
    "readbyte", "readfrom", "readfrom_mem", "readfrom_mem_into", "scan", "select_rom", "status", "value", "writebit",
    "writebyte", "writeto", "writeto_mem",
}  # fmt: skip
_OF_PYTHON = {name for kind in (
    builtins, str, bytes, bytearray, memoryview, dict, list, set, tuple, int, float, OSError, io.TextIOWrapper,
    io.BufferedRandom, socket.socket, type(iter("")), types.GeneratorType,
) for name in dir(kind)}  # fmt: skip
_OF_UMQTT = {
    "MQTTClient", "MQTTException", "cb", "check_msg", "clean_session", "client_id", "keepalive", "lw_msg", "lw_qos",
    "lw_retain", "lw_topic", "msg", "password", "pid", "ping", "port", "pswd", "publish", "qos", "retain", "server",
    "set_callback", "set_last_will", "sock", "ssl", "ssl_params", "subscribe", "timeout", "topic", "user", "wait_msg",
}  # fmt: skip
_FIELDS = ("id", "attr", "name", "arg", "asname")
# Nobody else means anything by these.
ENTRIES = (
    "factorial", "lgamma", "gamma", "erf", "erfc", "expm1", "acosh", "asinh", "atanh", "cosh", "sinh", "tanh",
)  # fmt: skip
_PRIVATE = 40  # names left for what only one file sees


def renamed(texts: dict[str, str], numbers: dict[str, int] | None = None) -> tuple[dict[str, str], set[str]]:
    """The texts of all modules {module: text} with their short names, and these names. `numbers`: of the modules that
    late.call() shall find by a number (parts.py)."""
    numbers = numbers or {}
    trees = {module: ast.parse(text) for module, text in texts.items()}
    functions = {module: {name for name in _defined([tree])} for module, tree in trees.items()}
    entries = _entries(trees, functions, numbers)
    names = _plan(trees, numbers, {name for each in entries.values() for name in each})
    inside = {module: names | entries.get(module, {}) for module in trees}
    for module, tree in trees.items():
        for node in ast.walk(tree):
            for field in _FIELDS:
                value = getattr(node, field, None)
                if isinstance(value, str) and value in inside[module] and not isinstance(node, ast.Import):
                    setattr(node, field, inside[module][value])
            for where, function in _functions_called(node, functions):
                called = f"esp_node.{where.value}"
                where.value = numbers.get(called, where.value)
                function.value = inside[called].get(str(function.value), function.value)
    taken = {name for each in inside.values() for name in each.values()}
    return {module: ast.unparse(tree) for module, tree in trees.items()}, taken


def _entries(
    trees: dict[str, ast.Module], functions: dict[str, set[str]], numbers: Collection[str]
) -> dict[str, dict[str, str]]:
    """Names of functions that only late.call() and late.chain() ask a module for: {module: {function: name}}. They are
    the same few in all modules."""
    nodes = [node for tree in trees.values() for node in ast.walk(tree)]
    shared = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    shared |= {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    shared |= _ASKED_FOR | set(_defined(trees[module] for module in OPEN if module in trees))
    found: dict[str, dict[str, str]] = {}
    for node in nodes:
        for module, function in _functions_called(node, functions):
            name, called = str(function.value), f"esp_node.{module.value}"
            if called in numbers and name not in shared:
                mine = found.setdefault(called, {})
                mine.setdefault(name, ENTRIES[len(mine)])
    return found


def _plan(trees: dict[str, ast.Module], numbers: Collection[str], entries: Collection[str]) -> dict[str, str]:
    nodes = [node for tree in trees.values() for node in ast.walk(tree)]
    defined = set(_defined(trees.values()))
    elsewhere = _ASKED_FOR | _OF_PYTHON | _OF_THE_MACHINE | set(IN_ROM)
    if any(isinstance(node, ast.ImportFrom) and node.module == "umqtt.simple" for node in nodes):
        elsewhere |= _OF_UMQTT
    elsewhere |= set(_defined(trees[module] for module in OPEN if module in trees))
    elsewhere |= set(_imported(nodes, set(trees), defined))
    elsewhere |= {text for node in nodes for text in _looked_up(node)}
    # The name of a module's file is there anyhow, unless it is in a bundle, or a part.
    elsewhere |= {part for module in set(trees) - set(MEMBERS) - set(numbers) for part in module.split(".")}
    own = {name for name in defined if not name.startswith("_")} - elsewhere - set(entries)
    taken = {name for node in nodes for name in names_of(node)}
    free = [name for name in IN_ROM if name not in taken and name not in ENTRIES]
    # The most used first, should there be more of them than names.
    uses = Counter(name for node in nodes for name in names_of(node))
    often = sorted(own, key=lambda name: (-uses[name], name))
    names = dict(zip(often, free[: len(free) - _PRIVATE], strict=False))
    # What is only a function of a module may be called like a method that Python itself looks for in classes.
    members = set(_members(nodes))
    rest = [name for name in often if name not in names and name not in members]
    return names | dict(zip(rest, FOR_FUNCTIONS, strict=False))


def _members(nodes: list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.ClassDef):
            yield from (name for part in node.body for name in names_of(part))
            yield from (name.id for part in node.body for name in ast.walk(part) if isinstance(name, ast.Name))
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        elif isinstance(node, ast.arg | ast.keyword):
            yield node.arg or ""


def _functions_called(node: ast.AST, functions: dict[str, set[str]]) -> Iterator[tuple[ast.Constant, ast.Constant]]:
    """The names of late.call(module, function, ...), and of a tuple that late.chain() is to follow."""
    match node:
        case (
            ast.Tuple(elts=[ast.Constant(value=str()) as module, ast.Constant(value=str()) as function, *_])
            | ast.Call(args=[ast.Constant(value=str()) as module, ast.Constant(value=str()) as function, *_])
        ) if function.value in functions.get(f"esp_node.{module.value}", ()):
            yield module, function
        case ast.Call(
            func=ast.Attribute(attr="call"), args=[ast.Constant(value=str(module)), ast.Constant(value=str()), *_]
        ) if f"esp_node.{module}" in functions:
            raise ValueError(f"{ast.unparse(node)}: the module has no such function")
        case ast.Call(
            func=ast.Name(id="call") | ast.Attribute(attr="call" | "chain"),
            args=[ast.IfExp() | ast.BinOp(), *_] | [_, ast.IfExp() | ast.BinOp(), *_],
        ):
            raise ValueError(f"{ast.unparse(node)}: name the module and a function of it, or they cannot be found")
        case _:
            pass


def _looked_up(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call(
            func=ast.Name(id="getattr" | "hasattr" | "setattr" | "delattr"), args=[_, ast.Constant(value=str(name)), *_]
        ):
            yield name
        case _:
            pass


def names_of(node: ast.AST) -> Iterator[str]:
    for field in _FIELDS:
        value = getattr(node, field, None)
        if isinstance(value, str):
            yield value


def _defined(trees: Iterable[ast.Module]) -> Iterator[str]:
    """What is no name of a local variable or of a parameter that only its place tells: these cost nothing anyhow."""
    for tree in trees:
        for statement in [*tree.body, *(part for part in ast.walk(tree) if isinstance(part, ast.ClassDef))]:
            for part in [statement, *(statement.body if isinstance(statement, ast.ClassDef) else ())]:
                match part:
                    case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                        yield name
                    case ast.Assign(targets=targets):
                        yield from (
                            each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)
                        )
                    case _:
                        pass
        for node in ast.walk(tree):
            match node:
                # Of other objects nobody knows whose they are.
                case ast.Attribute(value=ast.Name(id="self" | "node"), attr=name, ctx=ast.Store()):
                    yield name
                case ast.arguments(args=arguments, defaults=defaults):
                    yield from (argument.arg for argument in arguments[len(arguments) - len(defaults) :])
                case _:
                    pass


def _imported(nodes: list[ast.AST], ours: Collection[str], defined: Collection[str]) -> Iterator[str]:
    """Names of modules from outside, of what is taken from them, and of the arguments that something else is given."""
    outside: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            outside |= {alias.asname or alias.name for alias in node.names if alias.name not in ours}
            yield from (part for alias in node.names for part in alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            if node.module not in ours:
                yield from (alias.name for alias in node.names)
            yield from (node.module or "").split(".")
    for node in nodes:
        match node:
            case ast.Attribute(value=ast.Name(id=module), attr=name) if module in outside:
                yield name
            case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called), keywords=keywords):
                if called not in defined:
                    yield from (keyword.arg for keyword in keywords if keyword.arg)
            case ast.Call(keywords=keywords):
                yield from (keyword.arg for keyword in keywords if keyword.arg)
            case _:
                pass
