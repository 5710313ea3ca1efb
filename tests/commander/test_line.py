"""The line with a real database: what is in memory is what is stored, each event once, and nothing without the other."""

import json
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from commander.db_edge import Database
from commander.effects import Refused
from commander.fleet import enrolment, marks, orders, retention
from schema import fleet, topics, wire
from tests.commander.line import NOW, Line, node_row
from tests.commander.postgres import Cluster
from tests.commander.serving import PATIENCE


def tele(seq: int | None, ts: int = NOW, **values: Any) -> dict[str, Any]:
    return {"ts": ts, **({"stream": "s", "seq": seq} if seq else {}), **(values or {"cpu": 5})}


def evt(seq: int, **values: Any) -> dict[str, Any]:
    return {"ts": NOW, "stream": "s", "seq": seq, **values}


def messages() -> st.SearchStrategy[tuple[str, Any]]:
    seq = st.integers(1, 12)
    word = st.sampled_from
    return st.one_of(
        st.tuples(st.just("tele/host"), st.builds(tele, seq | st.none(), st.integers(0, NOW), cpu=st.integers(0, 9))),
        st.tuples(st.just("tele/host"), st.builds(tele, seq, colour=st.just(1))),  # refused, yet counted
        st.tuples(word(["evt/boot", "evt/refused"]), st.builds(evt, seq, topic=word(["a"]), field=word(["b"]), problem=word(["c"]))),
        st.tuples(st.just("evt/gap"), st.builds(
            lambda low, more: {"ts": 0, "stream": "s", "from": low, "to": low + more, "why": "full"}, seq, st.integers(-1, 3))),
        st.tuples(st.just("state"), word(fleet.STATES)),
        st.tuples(word(["alert/hot", "alert/cold"]), st.none() | st.just({"since": 5, "severity": "error", "text": "°"})),
        st.tuples(st.just("reported/settings"), st.builds(lambda rev: {"rev": rev, "status": "applied", "data": [rev]}, seq)),
        st.tuples(st.just("log"), st.just({"ts": 0, "level": "info", "text": "line"})),
        st.tuples(word(["tele/host", "evt/x", "state", "nothing"]), st.just(b"\x00{")),
        st.tuples(st.just("restart"), st.none()),
    )  # fmt: skip


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=st.lists(st.lists(messages(), max_size=8), max_size=8))
def test_memory_is_what_a_restart_would_load(make_line: Callable[[], Line], history: list[list[tuple[str, Any]]]) -> None:
    line = make_line()
    for table in ("telemetry", "event", "stream", "dead_letter"):
        with line.database.writing() as connection:
            connection.execute(text(f"DELETE FROM {table}"))
    line = make_line()
    for batch in history:
        items = [
            line.incoming(f"farm/house/rig-1/self/{tail}", data if isinstance(data, bytes) else
                          data.encode() if isinstance(data, str) else b"" if data is None else wire.dumps(data))
            for tail, data in batch if tail != "restart"
        ]  # fmt: skip
        line.step(items)
        assert line.in_memory() == line.reloaded()
        if any(tail == "restart" for tail, _ in batch):
            line = make_line()
    stored = line.counted()
    assert stored == sorted(set(stored))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(order=st.lists(st.tuples(st.integers(1, 15), st.booleans()), max_size=40), cut=st.integers(0, 40))
def test_every_event_once_in_any_order(make_line: Callable[[], Line], order: list[tuple[int, bool]], cut: int) -> None:
    line = make_line()
    with line.database.writing() as connection:
        for table in ("telemetry", "event", "stream"):
            connection.execute(text(f"DELETE FROM {table}"))
    line = make_line()
    kinds: dict[int, bool] = {}
    for at, (seq, is_event) in enumerate(order):
        if at == cut:
            line = make_line()
        if kinds.setdefault(seq, is_event):
            line.send(fleet.EVT, evt(seq), "x")
        else:
            line.send(fleet.TELE, tele(seq), "host")
    assert line.counted() == sorted(kinds)
    mark = next((row["mark"] for row in line.rows("stream")), 0)
    assert mark == next(n for n in range(17) if n + 1 not in kinds)


def test_holes_survive_a_restart(make_line: Callable[[], Line]) -> None:
    line = make_line()
    for seq in (5, 9):
        line.send(fleet.TELE, tele(seq), "host")
    line = make_line()
    for seq in (7, 5, 1, 2, 3, 4, 6, 9):
        line.send(fleet.TELE, tele(seq), "host")
    assert line.rows("stream")[0]["mark"] == 7
    assert line.rows("stream")[0]["ahead"] == [[9, 9]]
    assert not line.rows("dead_letter")


def test_too_many_holes_are_not_stored(line: Line) -> None:
    for seq in range(2, 2 * marks.MAX_RANGES + 4, 2):
        line.send(fleet.EVT, evt(seq), "x")
    assert len(line.counted()) == marks.MAX_RANGES
    line.send(fleet.EVT, evt(1), "x")
    line.send(fleet.EVT, evt(2 * marks.MAX_RANGES + 2), "x")
    assert len(line.counted()) == marks.MAX_RANGES + 2


def test_a_dead_letter_counts_as_stored(line: Line) -> None:
    line.send(fleet.TELE, tele(1, colour=1), "host")
    letter = line.rows("dead_letter")[0]
    assert (letter["sender"], letter["field"]) == ("rig-1", "colour")
    assert letter["problem"] == "unknown field of part host; announced: cpu, note"
    assert line.rows("stream")[0]["mark"] == 1


@pytest.mark.parametrize(
    "payload",
    [b"", b"\x00", b"{}", b"[" * 99_999, b"\xff" * 3000, b'{"ts":0,"stream":"s","seq":1,"a\\u0000":1}', b"x" * 300_000, b"\x93\x01"],
)
@pytest.mark.parametrize("tail", ["state", "tele/host", "evt/x", "alert/a", "job/result", "no\x00body", "cmd/ping", ""])
def test_whatever_comes_the_line_goes_on(line: Line, tail: str, payload: bytes) -> None:
    line.step([line.incoming(f"farm/house/rig-1/self/{tail}", payload), line.incoming("farm/_/leader", payload)])
    line.send(fleet.EVT, evt(40), "x")
    assert line.counted() == [40]


def test_a_flood_is_counted_and_twenty_a_minute_are_kept(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 1_700_000_040.0
    monkeypatch.setattr("commander.flow.time.time", lambda: clock)
    line.step([line.incoming("farm/house/rig-1/self/tele/host", b"{") for _ in range(500)])
    assert len(line.rows("dead_letter")) == 20
    assert line.rows("dead_count")[0]["count"] == 500
    clock += 60
    line.step([line.incoming("farm/house/rig-1/self/tele/host", b"{")])
    assert len(line.rows("dead_letter")) == 21


def test_a_request_that_fails_is_its_askers_problem(line: Line) -> None:
    def broken(farm: Any, moment: Any) -> Any:
        raise KeyError("oops")

    with pytest.raises(KeyError):
        line.asked(broken)
    line.send(fleet.EVT, evt(1), "x")
    assert line.counted() == [1]


def test_a_document_that_no_message_can_hold_is_refused(line: Line) -> None:
    with pytest.raises(Refused, match="data: makes a message of 3.* bytes; at most 262144"):
        line.asked(lambda farm, moment: (None, orders.set_desired(farm, "rig-1", "settings", {"a": "x" * 300_000}, None, moment)))
    line.asked(lambda farm, moment: (None, orders.set_desired(farm, "rig-1", "settings", {"a": '"' * 60_000}, None, moment)))
    assert line.rows("outbox")[0]["topic"] == "farm/house/rig-1/self/desired/settings"


def test_a_node_that_comes_back_goes_on_counting(line: Line) -> None:
    line.send(fleet.EVT, evt(1), "x")
    line.asked(lambda farm, moment: (None, orders.remove_node(farm, "rig-1", moment)))
    line.apply([enrolment.Put("node", "rig-1", node_row())])
    for seq in (1, 2):
        line.send(fleet.EVT, evt(seq), "x")
    assert line.counted() == [1, 2]
    assert line.rows("stream")[0]["mark"] == 2


def test_a_restored_database_jumps_ahead(line: Line) -> None:
    line.asked(lambda farm, moment: (None, orders.set_desired(farm, "rig-1", "settings", {"a": 1}, None, moment)))
    topic, payload, *_ = line.outbox.leader(7, "another", NOW)
    line.step([line.incoming(topic, payload, retained=True)])
    assert line.epoch == 8
    assert line.rows("desired")[0]["rev"] == 1001
    forged = json.loads(payload) | {"body": '{"epoch":99,"node":"x","expires":1}'}
    line.step([line.incoming(topic, json.dumps(forged).encode(), retained=True)])
    assert line.epoch == 8
    assert line.rows("dead_letter")[-1]["field"] == "sig"


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
    item = line.incoming(topics.build(fleet.TELE, "farm", "house", "rig-1", name="host"), wire.dumps(tele(1, note="x" * 900)))
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

    for number in range(12):  # until the file has no page to spare
        line.send(fleet.EVT, {**evt(number + 1), "stream": "other", "text": "y" * 900}, "x")
    with database.writing() as connection:
        connection.execute(text("DELETE FROM event"))
        connection.execute(text("DELETE FROM stream"))
    with sqlite3.connect(tmp_path / "full.db") as plain:
        plain.execute("VACUUM")
    plain.close()
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


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    batches=st.lists(
        st.lists(st.tuples(st.integers(0, 200), st.integers(0, 3), st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-1e9, 1e9)
                           | st.sampled_from([1e308, -1e308, "word"])), max_size=10),
        min_size=1, max_size=5,
    )
)  # fmt: skip
def test_rolled_up_figures_are_those_of_brute_force(make_line: Callable[[], Line], batches: list[list[tuple[int, int, Any]]]) -> None:
    line = make_line()
    with line.database.writing() as connection:
        for table in ("telemetry", "rollup", "bookmark"):
            connection.execute(text(f"DELETE FROM {table}"))
    begin = NOW // retention.HOUR * retention.HOUR
    given_rows: list[tuple[int, str, Any]] = []
    for batch in batches:  # later batches hold late rows of earlier minutes
        for minute, field, value in batch:
            ts = begin + minute * 20_000
            given_rows.append((ts, f"f{field}", value))
            line.apply([retention_row(ts, f"f{field}", value)])
        line.step([])
        assert retention.roll_up(line.database, 0) == len(batch)
        assert retention.roll_up(line.database, 0) == 0
    stored = {(row["step"], row["ts"], field): four for row in line.rows("rollup") for field, four in row["data"].items()}
    wanted: dict[tuple[int, int, str], list[float]] = {}
    for ts, field, value in given_rows:
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e290:
            for step in (retention.MINUTE, retention.HOUR):
                wanted.setdefault((step, ts // step * step, field), []).append(value)
    assert set(stored) == set(wanted)
    for key, numbers in wanted.items():
        count, low, mean, high = stored[key]
        assert (count, low, high) == (len(numbers), min(numbers), max(numbers))
        assert mean == pytest.approx(sum(numbers) / len(numbers), rel=1e-9, abs=1e-3)


def retention_row(ts: int, field: str, value: Any) -> Any:
    from commander.effects import Add

    return Add("telemetry", {"series": 1, "ts": ts, "received": ts, "stream": None, "seq": None, "data": {field: value}})


def test_what_is_too_old_is_forgotten(line: Line) -> None:
    from commander.settings import Settings

    kept = Settings(keep_raw_days=1, keep_logs_days=2)
    now = NOW + 3 * retention.DAY
    for age in (0, 1, 2, 3):
        line.apply([retention_row(now - age * retention.DAY - 1, "a", age)])
        line.send(fleet.LOG, {"ts": now - age * retention.DAY - 1, "level": "info", "text": str(age)})
    retention.roll_up(line.database, 0)
    retention.forget(line.database, kept, now)
    assert [row["data"]["a"] for row in line.rows("telemetry")] == [0]
    assert [row["text"] for row in line.rows("log")] == ["0", "1"]
    assert len(line.rows("rollup")) == 8
    retention.forget(line.database, kept, now + 5000 * retention.DAY)
    assert not line.rows("rollup")
    late = now - 2 * retention.DAY
    line.apply([retention_row(late, "a", 1), retention_row(2**53 - 1, "a", 1)])
    line.step([])
    retention.roll_up(line.database, now - retention.DAY)
    assert all(row["ts"] >= now - retention.DAY - retention.HOUR for row in line.rows("rollup"))
