"""The line with a real database: what is in memory is what is stored, and each event once."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from commander.effects import Refused
from commander.fleet import enrolment, marks, orders
from schema import fleet, wire
from tests.commander.line import NOW, Line, node_row


def tele(seq: int | None, ts: int = NOW, **values: Any) -> dict[str, Any]:
    return {"ts": ts, **({"stream": "s", "seq": seq} if seq else {}), **(values or {"cpu": 5})}


def evt(seq: int, **values: Any) -> dict[str, Any]:
    return {"ts": NOW, "stream": "s", "seq": seq, **values}


def messages() -> st.SearchStrategy[tuple[str, Any]]:
    seq = st.integers(1, 12)
    word = st.sampled_from
    return st.one_of(
        st.tuples(
            st.just("tele/host"),
            st.builds(tele, seq | st.none(), st.integers(0, NOW), cpu=st.integers(0, 9)),
        ),
        st.tuples(st.just("tele/host"), st.builds(tele, seq, colour=st.just(1))),  # refused, yet counted
        st.tuples(
            word(["evt/boot", "evt/refused"]),
            st.builds(evt, seq, topic=word(["a"]), field=word(["b"]), problem=word(["c"])),
        ),
        st.tuples(
            st.just("evt/gap"),
            st.builds(
                lambda low, more: {
                    "ts": 0,
                    "stream": "s",
                    "from": low,
                    "to": low + more,
                    "why": "full",
                },
                seq,
                st.integers(-1, 3),
            ),
        ),
        st.tuples(st.just("state"), word(fleet.STATES)),
        st.tuples(
            word(["alert/hot", "alert/cold"]),
            st.none() | st.just({"since": 5, "severity": "error", "text": "°"}),
        ),
        st.tuples(
            st.just("reported/settings"),
            st.builds(lambda rev: {"rev": rev, "status": "applied", "data": [rev]}, seq),
        ),
        st.tuples(st.just("log"), st.just({"ts": 0, "level": "info", "text": "line"})),
        st.tuples(word(["tele/host", "evt/x", "state", "nothing"]), st.just(b"\x00{")),
        st.tuples(st.just("restart"), st.none()),
    )


@settings(max_examples=15)
@given(history=st.lists(st.lists(messages(), max_size=8), max_size=8))
def test_memory_is_what_a_restart_would_load(
    make_line: Callable[[], Line], history: list[list[tuple[str, Any]]]
) -> None:
    line = make_line()
    for table in ("telemetry", "event", "stream", "dead_letter"):
        with line.database.writing() as connection:
            connection.execute(text(f"DELETE FROM {table}"))
    line = make_line()
    for batch in history:
        items = [
            line.incoming(
                f"farm/house/rig-1/self/{tail}",
                data
                if isinstance(data, bytes)
                else data.encode()
                if isinstance(data, str)
                else b""
                if data is None
                else wire.dumps(data),
            )
            for tail, data in batch
            if tail != "restart"
        ]
        line.step(items)
        assert line.in_memory() == line.reloaded()
        if any(tail == "restart" for tail, _ in batch):
            line = make_line()
    stored = line.counted()
    assert stored == sorted(set(stored))


@settings(max_examples=15)
@given(
    order=st.lists(st.tuples(st.integers(1, 15), st.booleans()), max_size=40),
    cut=st.integers(0, 40),
)
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
    [
        b"",
        b"\x00",
        b"{}",
        b"[" * 99_999,
        b"\xff" * 3000,
        b'{"ts":0,"stream":"s","seq":1,"a\\u0000":1}',
        b"x" * 300_000,
        b"\x93\x01",
    ],
)
@pytest.mark.parametrize("tail", ["state", "tele/host", "evt/x", "alert/a", "job/result", "no\x00body", "cmd/ping", ""])
def test_whatever_comes_the_line_goes_on(line: Line, tail: str, payload: bytes) -> None:
    line.step(
        [
            line.incoming(f"farm/house/rig-1/self/{tail}", payload),
            line.incoming("farm/_/leader", payload),
        ]
    )
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
    with pytest.raises(Refused, match=r"data: makes a message of 4\d+ bytes; at most 262144"):
        line.asked(
            lambda farm, moment: (
                None,
                orders.set_desired(farm, "rig-1", "settings", {"a": '"' * 100_000}, None, moment),
            )
        )
    line.asked(
        lambda farm, moment: (
            None,
            orders.set_desired(farm, "rig-1", "settings", {"a": '"' * 60_000}, None, moment),
        )
    )
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
    line.asked(
        lambda farm, moment: (
            None,
            orders.set_desired(farm, "rig-1", "settings", {"a": 1}, None, moment),
        )
    )
    topic, payload, *_ = line.outbox.leader(7, "another", NOW)
    line.step([line.incoming(topic, payload, retained=True)])
    assert line.epoch == 8
    assert line.rows("desired")[0]["rev"] == 1001
    forged = json.loads(payload) | {"body": '{"epoch":99,"node":"x","expires":1}'}
    line.step([line.incoming(topic, json.dumps(forged).encode(), retained=True)])
    assert line.epoch == 8
    assert line.rows("dead_letter")[-1]["field"] == "sig"
