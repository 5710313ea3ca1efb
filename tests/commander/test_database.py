"""Migrations, the lease, and what an unreachable database says, on both databases."""

from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import inspect

import commander
from commander import leader
from commander.db_edge import Database, DatabaseUnavailable
from commander.tables import metadata
from tests.commander.line import NOW


def migrate(database: Database, way: Any, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(commander.__file__).parent / "migrations"))
    with database.writing() as connection:
        config.attributes["connection"] = connection
        way(config, revision)


def test_the_migrated_schema_is_the_declared_one(database: Database) -> None:
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []


def test_down_and_up_again(database: Database) -> None:
    migrate(database, command.downgrade, "base")
    assert set(inspect(database.engine).get_table_names()) <= {"alembic_version"}
    database.migrate()
    database.migrate()
    assert set(metadata.tables) <= set(inspect(database.engine).get_table_names())
    test_the_migrated_schema_is_the_declared_one(database)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("sqlite:////nowhere/at/all.db", "unable to open database file"),
        ("postgresql+psycopg://farm@127.0.0.1:1/farm", "connection"),
        ("nonsense", "Could not parse"),
        ("oracle+unknown://x", "Can't load plugin"),
    ],
)
def test_an_unreachable_database_is_one_line(url: str, reason: str) -> None:
    with pytest.raises(DatabaseUnavailable) as failed:
        Database(url).migrate()
    assert reason in failed.value.user_message
    assert "\n" not in failed.value.user_message


def test_a_password_is_not_shown() -> None:
    with pytest.raises(DatabaseUnavailable) as failed:
        Database("postgresql+psycopg://farm:secret@127.0.0.1:1/farm").migrate()
    assert "secret" not in failed.value.user_message


def test_no_write_permission_is_one_line(tmp_path: Path, empty_sqlite: Path) -> None:
    (tmp_path / "broken.db").write_bytes(b"this is no database, only a text of some length" * 99)
    with pytest.raises(DatabaseUnavailable, match="file is not a database"):
        Database(f"sqlite:///{tmp_path / 'broken.db'}").migrate()


def test_one_leads_and_the_other_takes_over(database: Database) -> None:
    assert leader.acquire(database, "a", NOW) == 1
    assert leader.acquire(database, "b", NOW) is None
    assert leader.current_holder(database) == "a"
    assert leader.renew(database, "a", 1, NOW + 20_000)
    assert leader.acquire(database, "b", NOW + leader.TTL_MS + 1) is None, "it was renewed"
    assert leader.acquire(database, "b", NOW + 20_001 + leader.TTL_MS) == 2
    assert not leader.renew(database, "a", 1, NOW + 60_000), "it was lost"
    leader.release(database, "a")
    assert leader.acquire(database, "a", NOW + 50_001) is None, "it was not a's to release"
    leader.release(database, "b")
    assert leader.acquire(database, "a", NOW + 50_001) == 3


def test_a_restart_raises_the_epoch_and_a_jump_is_kept(database: Database) -> None:
    assert leader.acquire(database, "a", NOW) == 1
    assert leader.acquire(database, "a", NOW) == 2
    assert leader.renew(database, "a", 9, NOW)
    assert leader.acquire(database, "a", NOW) == 10


def test_a_second_process_on_one_folder_is_kept_out(tmp_path: Path) -> None:
    name, lock = leader.holder_of(tmp_path)
    with pytest.raises(leader.AlreadyRunning, match=str(tmp_path)):
        leader.holder_of(tmp_path)
    lock.close()
    again, lock = leader.holder_of(tmp_path)
    assert again == name
    lock.close()
