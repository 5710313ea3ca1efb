"""The database: one engine, migrations at start, effects in bulk. The only file that opens connections to it."""

import sqlite3
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
from alembic import command as alembic
from alembic.config import Config
from sqlalchemy import Connection, Engine, Table, create_engine, event, select, text
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from commander.effects import Add, Key, Put, Row
from commander.kinds import Json
from commander.projection import Projection
from commander.tables import STATE, keys, metadata

POSTGRES_TYPES = {"TEXT": "text", "BIGINT": "bigint", "BOOLEAN": "boolean"}
# SQLite allows 32,766 parameters a statement only for multi-row VALUES; executemany and unnest have no such limit.


# The line's inserts go past SQLAlchemy to the driver, whose errors are its own.
ERRORS = (SQLAlchemyError, sqlite3.Error)
REFUSALS = (IntegrityError, DataError, sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError)
_WHO_LEADS = text("SELECT holder FROM lease WHERE name = 'leader'")
MIGRATION_LOCK = 0x6661726D  # any number that nobody else locks in this database


class DatabaseUnavailable(RuntimeError):
    """The database cannot be opened or written; says which and what it answered."""

    def __init__(self, url: str, error: Exception) -> None:
        reason = (str(getattr(error, "orig", error)).strip() or type(error).__name__).splitlines()[0]
        self.user_message = f"database {url}: {reason}"
        super().__init__(self.user_message)


class DatabaseRefused(DatabaseUnavailable):
    """The database works, but will not take these rows."""


class LeaseLost(RuntimeError):
    """Another commander holds the lease: what this one still had in hand is not its to write."""


class Database:
    """SQLite (WAL) or PostgreSQL behind the same few calls."""

    def __init__(self, url: str) -> None:
        """url: SQLAlchemy URL, `sqlite:///path` or `postgresql+psycopg://user:password@host/name`."""
        self.url = url
        self.holder = ""  # set once the lease is held: every transaction of the line then checks it
        self.shown_url = url.rsplit("@", 1)[-1] if "@" in url else url
        try:
            self.engine: Engine = create_engine(
                url, pool_size=5, max_overflow=10, pool_pre_ping=not url.startswith("sqlite")
            )
        except (SQLAlchemyError, ImportError) as error:
            raise DatabaseUnavailable(self.shown_url, error) from None
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        if self.is_sqlite:
            event.listen(self.engine, "connect", _sqlite_settings)

    def migrate(self) -> None:
        """Bring the schema to the newest revision."""
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        try:
            with self.engine.begin() as connection:
                if not self.is_sqlite:  # a second commander that starts at the same moment waits
                    connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
                config.attributes["connection"] = connection
                alembic.upgrade(config, "head")
        except (*ERRORS, OSError) as error:
            raise DatabaseUnavailable(self.shown_url, error) from None

    def load(self) -> Projection:
        """The projection as the database holds it."""
        projection = Projection(keys())
        with self.reading() as connection:
            for table in STATE:
                # Keys of SQLAlchemy's mappings are no plain str, and a row may become part of another one's JSON.
                names = [str(column.name) for column in table.columns]
                rows = connection.execute(select(table))
                projection.load(table.name, [dict(zip(names, row, strict=True)) for row in rows])
        return projection

    def commit(self, puts: Mapping[tuple[str, Key], Put], adds: Iterable[Add]) -> None:
        """Everything in one transaction. Raises DatabaseUnavailable and has then changed nothing."""
        upserts: dict[str, list[Row]] = {}
        deletes: dict[str, list[Key]] = {}
        inserts: dict[str, list[Row]] = {}
        for put in puts.values():
            if put.row is None:
                deletes.setdefault(put.table, []).append(put.key)
            else:
                upserts.setdefault(put.table, []).append(put.row)
        for add in adds:
            inserts.setdefault(add.table, []).append(add.row)
        try:
            with self.engine.begin() as connection:
                self._fence(connection)
                for name, rows in inserts.items():
                    self._write(connection, metadata.tables[name], rows, upsert=False)
                for name, rows in upserts.items():
                    self._write(connection, metadata.tables[name], rows, upsert=True)
                for name, gone in deletes.items():
                    self._delete(connection, metadata.tables[name], gone)
        except REFUSALS as error:
            raise DatabaseRefused(self.shown_url, error) from error
        except ERRORS as error:
            raise DatabaseUnavailable(self.shown_url, error) from error

    def salvage(self, puts: Mapping[tuple[str, Key], Put], adds: Iterable[Add]) -> list[tuple[Put | Add, str]]:
        """Commit row by row after a DatabaseRefused; the rows that were refused, and why."""
        refused: list[tuple[Put | Add, str]] = []
        for effect in (*adds, *puts.values()):
            one: dict[tuple[str, Key], Put] = {(effect.table, effect.key): effect} if isinstance(effect, Put) else {}
            try:
                self.commit(one, [effect] if isinstance(effect, Add) else [])
            except DatabaseRefused as error:
                refused.append((effect, error.user_message))
        return refused

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """A connection for SELECTs. Raises DatabaseUnavailable."""
        try:
            with self.engine.connect() as connection:
                yield connection
        except ERRORS as error:
            raise DatabaseUnavailable(self.shown_url, error) from error

    @contextmanager
    def writing(self) -> Generator[Connection]:
        """A transaction for housekeeping (retention, roll-ups, lease). Raises DatabaseUnavailable."""
        try:
            with self.engine.begin() as connection:
                yield connection
        except ERRORS as error:
            raise DatabaseUnavailable(self.shown_url, error) from error

    def close(self) -> None:
        self.engine.dispose()

    def _fence(self, connection: Connection) -> None:
        if self.holder and connection.execute(_WHO_LEADS).scalar() != self.holder:
            raise LeaseLost("another commander holds the lease")

    def _write(self, connection: Connection, table: Table, rows: list[Row], *, upsert: bool) -> None:
        names = tuple(rows[0])
        arrays: dict[str, list[Any]] = {name: [row[name] for row in rows] for name in names}
        for column in table.columns:
            if isinstance(column.type, Json):
                arrays[column.name] = [orjson.dumps(value).decode() for value in arrays[column.name]]
        if self.is_sqlite:
            cursor: Any = connection.connection.cursor()
            cursor.executemany(_sqlite_insert(table, names, upsert), zip(*arrays.values(), strict=True))
        else:
            connection.execute(_postgres_insert(table, names, upsert), arrays)

    def _delete(self, connection: Connection, table: Table, gone: list[Key]) -> None:
        columns = [column.name for column in table.primary_key]
        where = " AND ".join(f'"{name}" = :{name}' for name in columns)
        values: list[Row] = []
        for key in gone:
            parts: Any = key if len(columns) > 1 else (key,)
            values.append(dict(zip(columns, parts, strict=True)))
        connection.execute(text(f'DELETE FROM "{table.name}" WHERE {where}'), values)


@lru_cache
def _sqlite_insert(table: Table, columns: tuple[str, ...], upsert: bool) -> str:
    # The driver itself, not SQLAlchemy's compiler: 330,000 rows/s against 160,000 (docs/profile.md).
    names = ", ".join(f'"{c}"' for c in columns)
    marks = ", ".join("?" for _ in columns)
    return f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})' + (_on_conflict(table, columns) if upsert else "")


@lru_cache
def _postgres_insert(table: Table, columns: tuple[str, ...], upsert: bool) -> Any:
    # One statement with one array per column: 95,000 rows/s against 30,000 for executemany.
    names = ", ".join(f'"{c}"' for c in columns)
    arrays = ", ".join(f"CAST(:{c} AS {_postgres_type(table, c)}[])" for c in columns)
    conflict = _on_conflict(table, columns) if upsert else ""
    return text(f'INSERT INTO "{table.name}" ({names}) SELECT * FROM unnest({arrays}){conflict}')


def _postgres_type(table: Table, column: str) -> str:
    kind = table.columns[column].type
    return "text" if isinstance(kind, Json) else POSTGRES_TYPES[str(kind).split("(", 1)[0]]


def _on_conflict(table: Table, columns: tuple[str, ...]) -> str:
    key = [column.name for column in table.primary_key]
    sets = ", ".join(f'"{c}" = excluded."{c}"' for c in columns if c not in key)
    action = f"DO UPDATE SET {sets}" if sets else "DO NOTHING"
    names = ", ".join(f'"{c}"' for c in key)
    return f" ON CONFLICT ({names}) {action}"


def _sqlite_settings(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    # FULL: a mark that the sender trusts must survive a power cut, not only a crash.
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "busy_timeout=10000",
        "cache_size=-32000",
        "temp_store=MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
