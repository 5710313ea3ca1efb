"""While nothing can be stored nothing is acknowledged; once it can, everything is stored once."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from commander.db_edge import Database
from commander.effects import Add, Send
from commander.fleet.tables import lease
from commander.leader import acquire
from schema import fleet, topics, wire
from tests.commander.line import NOW, Line
from tests.commander.postgres import Cluster
from tests.commander.serving import PATIENCE


class Tape:
    """Stands where the broker stands, to see when something is acknowledged or published."""

    def __init__(self) -> None:
        self.acknowledged: list[Any] = []
        self.published: list[str] = []

    def acknowledge(self, received: list[Any]) -> None:
        self.acknowledged += received

    def publish(self, topic: str, *_: Any) -> None:
        self.published.append(topic)


def blocked_then_freed(line: Line, break_it: Callable[[], None], mend_it: Callable[[], None]) -> None:
    tape = Tape()
    line.mqtt = tape  # type: ignore[assignment]
    item = line.incoming(
        topics.build(fleet.EVT, "farm", "house", "rig-1", name="x"),
        wire.dumps({"ts": NOW, "stream": "s", "seq": 1, "text": "x" * 99_000}),
    )
    break_it()
    thread = threading.Thread(target=line.step, args=([item],))
    thread.start()
    end = time.monotonic() + PATIENCE
    while not line.failing:
        assert thread.is_alive()
        assert time.monotonic() < end
        time.sleep(0.01)
    assert (tape.acknowledged, tape.published) == ([], [])
    mend_it()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert tape.acknowledged == [item]
    assert tape.published == ["farm/house/rig-1/self/stored"]
    assert line.counted() == [1]
    assert not line.failing


def test_a_full_disk_acknowledges_nothing(tmp_path: Path, empty_sqlite: Path) -> None:
    (tmp_path / "full.db").write_bytes(empty_sqlite.read_bytes())
    database = Database(f"sqlite:///{tmp_path / 'full.db'}")
    line = Line(database)

    def pages(limit: int) -> Callable[[], None]:
        def set_limit() -> None:  # in every connection of the pool, as a full disk would be
            held = [database.engine.connect() for _ in range(3)]
            for each in held:
                each.exec_driver_sql(f"PRAGMA max_page_count = {limit}")
                each.close()

        return set_limit

    blocked_then_freed(line, pages(1), pages(1_000_000))
    database.close()


@pytest.mark.postgres
def test_a_stopped_postgres_acknowledges_nothing() -> None:
    own = Cluster().start()
    try:
        database = Database(own.url)
        database.migrate()
        blocked_then_freed(Line(database), own.stop, lambda: own.start() and None)
        database.close()
    finally:
        own.remove()


def test_who_lost_the_lease_stores_nothing(line: Line, database: Database) -> None:
    assert acquire(database, "me", NOW) is not None
    database.holder = "me"
    line.send(fleet.EVT, {"ts": NOW, "stream": "s", "seq": 1}, "x")
    with database.writing() as connection:
        connection.execute(update(lease).values(holder="somebody-else"))
    tape = Tape()
    line.mqtt = tape  # type: ignore[assignment]
    line.send(fleet.EVT, {"ts": NOW, "stream": "s", "seq": 2}, "x")
    database.holder = ""
    assert line.counted() == [1]
    assert (tape.acknowledged, tape.published) == ([], [])


def test_one_row_that_the_database_refuses_does_not_hold_up_the_others(line: Line, database: Database) -> None:
    line.send(fleet.EVT, {"ts": NOW, "stream": "s", "seq": 1}, "x")
    taken = next(row for row in line.rows("event") if row["seq"] == 1)
    twin = Add("event", {name: value for name, value in taken.items() if name != "id"})
    line.apply([twin])  # no rule makes this: the index on (stream, seq) is the last guard
    line.send(fleet.EVT, {"ts": NOW, "stream": "s", "seq": 2}, "x")
    assert line.counted() == [1, 2]
    assert not line.failing


def test_what_an_earlier_start_left_is_sealed_for_this_epoch(line: Line) -> None:
    topic = topics.build(fleet.CMD, "farm", "house", "rig-1", name="ping")
    body = {"id": "c-1", "exp": NOW, "args": {}}
    before = line.outbox.seal([Send(fleet.CMD, "house", "rig-1", body, name="ping")], 3)
    _, payload, _, _, row_id = line.outbox.again(before.rows[0], 4)
    envelope = wire.loads(payload)
    assert wire.loads(envelope["body"].encode()) == {**body, "epoch": 4}
    assert row_id == before.rows[0]["id"]
    assert payload != before.messages[0][1]
    assert topic == before.rows[0]["topic"]
