"""Databases of both kinds, and a commander that serves them with a real broker."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from commander.db_edge import Database
from commander.tables import metadata
from tests.commander.api import Machine
from tests.commander.line import Line
from tests.commander.postgres import Cluster
from tests.commander.serving import Serving
from tests.conftest import program

KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    if not program("initdb"):
        pytest.skip("PostgreSQL is not on this machine; `make setup` tries to get it")
    cluster = Cluster()
    try:
        yield cluster.start()
    finally:
        cluster.remove()


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "empty.db"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    database.close()
    return path


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a migrated, empty database of each kind."""
    if request.param == "sqlite":
        path = tmp_path / "farm.db"
        shutil.copy(request.getfixturevalue("empty_sqlite"), path)
        return f"sqlite:///{path}"
    return emptied(request.getfixturevalue("cluster").url)


def emptied(url: str) -> str:
    database = Database(url)
    database.migrate()
    with database.writing() as connection:
        connection.execute(text("TRUNCATE " + ", ".join(f'"{name}"' for name in metadata.tables)))
    database.close()
    return url


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    database = Database(url)
    yield database
    database.close()


@pytest.fixture
def line(database: Database) -> Line:
    return Line(database)


@pytest.fixture(scope="module", params=KINDS)
def serving(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A commander with its broker and HTTP server; shared by the tests of a module."""
    url = "sqlite" if request.param == "sqlite" else emptied(request.getfixturevalue("cluster").url)
    if not program("mosquitto"):
        pytest.skip("mosquitto is not on this machine; `make setup` tries to get it")
    serving = Serving(tmp_path_factory.mktemp("farm"), url)
    try:
        yield serving
    finally:
        serving.stop()


@pytest.fixture
def make_line(database: Database) -> Callable[[], Line]:
    """A commander that starts (again) on the same database."""
    return lambda: Line(database)


@pytest.fixture(scope="module")
def machine(serving: Serving) -> Machine:
    return Machine(serving, "m-1")
