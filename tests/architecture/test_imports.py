"""The rules of the design about who imports what, read from the source."""

import ast
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("schema", "broker", "commander", "sentry", "esp_node")
SYSTEMS = ("fleet", "mining", "energy", "boards", "streams")
LONGEST_FILE = 300

# What a package may import of ours, besides itself.
ALLOWED = {
    "schema": (),
    "esp_node": ("schema",),
    "sentry": ("schema", "esp_node"),
    "broker": ("schema",),
    "commander": (
        "schema",
        "broker.domains",
        "broker.errors",
        "broker.farmfile",
        "broker.mosquitto",
        "broker.passwords",
        "broker.users",
    ),
    "farmhand.py": PACKAGES,
}

# These two put whole programs together, so they know a little more of a broker.
ALLOWED_BESIDES = {
    "commander/service.py": ("broker.certs", "broker.files"),
    "commander/up.py": ("broker.bootstrap", "broker.supervise"),
}

# The only files that may import a library which has side effects. Of SQLAlchemy, all of these but
# db_edge build tables and statements only; the engine has a rule of its own below.
EDGES = {
    "paho": ("*/mqtt_edge.py",),
    "sqlalchemy": (
        "commander/db_edge.py",
        "commander/kinds.py",
        "commander/leader.py",
        "commander/tables.py",
        "commander/http/records.py",
        "commander/*/retention.py",
        "commander/*/tables.py",
        "commander/*/*views.py",
        "commander/migrations/*",
    ),
    "fastapi": ("commander/http_edge.py", "commander/http/*.py"),
    "starlette": ("commander/http_edge.py", "commander/http/*.py"),
    "socketio": ("commander/icefarm_edge.py",),
}
ENGINE_MAKERS = ("create_engine", "create_async_engine", "engine_from_config")
ENGINE_FILES = ("commander/db_edge.py", "commander/migrations/*")

# Values in, values out: neither these files nor what they import of ours may reach for more.
PURE = (
    "commander/*/rules.py",
    "broker/farmfile.py",
    "broker/users.py",
    "broker/domains.py",
    "broker/mosquitto.py",
)
# Not looked into: the messages, and passwords, which are pure once the salt is given.
TRUSTED = ("schema/*", "broker/passwords.py")
IMPURE_LIBRARY = {
    *("asyncio", "http", "socket", "socketserver", "ssl", "urllib"),
    *("glob", "os", "pathlib", "shutil", "sqlite3", "sys", "tempfile"),
    *("multiprocessing", "queue", "select", "selectors", "signal", "subprocess", "threading"),
    *("ctypes", "logging", "random", "secrets", "time", "uuid"),
}


def sources(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [*found, ROOT / "farmhand.py"]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of everything that the file imports; `from a import b` gives `a.b`."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            for alias in node.names:
                yield node.lineno, ".".join([*base, *filter(None, [node.module]), alias.name])


def is_within(name: str, *parents: str) -> bool:
    return any(name == parent or name.startswith(parent + ".") for parent in parents)


def matches(path: Path, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(name_of(path), pattern) for pattern in patterns)


each_source = pytest.mark.parametrize("path", sources(*PACKAGES), ids=name_of)


@each_source
def test_packages_import_one_way(path: Path) -> None:
    own = path.relative_to(ROOT).parts[0]
    allowed = (own, *ALLOWED[own], *ALLOWED_BESIDES.get(name_of(path), ()))
    wrong = [
        f"{name_of(path)}:{line} imports {name}"
        for line, name in imports(path)
        if is_within(name, *PACKAGES) and not is_within(name, *allowed)
    ]
    assert not wrong


@each_source
def test_libraries_with_side_effects_stay_at_their_edge(path: Path) -> None:
    wrong = [
        f"{name_of(path)}:{line} imports {name}, which only {', '.join(edges)} may"
        for line, name in imports(path)
        for library, edges in EDGES.items()
        if is_within(name, library) and not matches(path, edges)
    ]
    wrong += [
        f"{name_of(path)}:{line} makes an engine, which only {', '.join(ENGINE_FILES)} may"
        for line, name in imports(path)
        if name.rpartition(".")[2] in ENGINE_MAKERS and not matches(path, ENGINE_FILES)
    ]
    assert not wrong


def impure_imports(path: Path, seen: set[Path]) -> Iterator[str]:
    """What `path`, or a file of ours that it imports, takes from impure libraries."""
    seen.add(path)
    for line, name in imports(path):
        top = name.partition(".")[0]
        if top in PACKAGES:
            # The name may be a module, or something inside the module.
            files = (ROOT / f"{part.replace('.', '/')}.py" for part in (name, name.rpartition(".")[0]))
            for file in files:
                if file.is_file() and file not in seen and not matches(file, TRUSTED):
                    yield from impure_imports(file, seen)
        elif top not in sys.stdlib_module_names or top in IMPURE_LIBRARY:
            yield f"{name_of(path)}:{line} imports {name}"


@pytest.mark.parametrize("path", [path for pattern in PURE for path in sorted(ROOT.glob(pattern))], ids=name_of)
def test_pure_files_import_only_pure_things(path: Path) -> None:
    assert not list(impure_imports(path, set()))


@pytest.mark.parametrize("path", sorted(ROOT.glob("commander/*/rules.py")), ids=name_of)
def test_rules_know_other_systems_by_their_rules_alone(path: Path) -> None:
    own = path.parent.name
    wrong = [
        f"{name_of(path)}:{line} imports {name}"
        for line, name in imports(path)
        for other in SYSTEMS
        if other != own and is_within(name, f"commander.{other}") and not is_within(name, f"commander.{other}.rules")
    ]
    assert not wrong


@each_source
def test_no_file_is_too_long_to_read(path: Path) -> None:
    if matches(path, ("commander/migrations/versions/*",)):
        return
    assert len(path.read_text().splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_says_what_is_inside(package: str) -> None:
    assert ast.get_docstring(ast.parse((ROOT / package / "__init__.py").read_text()))
