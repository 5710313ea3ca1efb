"""Down-sampling and retention against brute force, with rows that come late."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from commander.effects import Add
from commander.fleet import retention
from commander.settings import Settings
from schema import fleet
from tests.commander.line import NOW, Line


@settings(max_examples=10)
@given(
    batches=st.lists(
        st.lists(
            st.tuples(
                st.integers(0, 200),
                st.integers(0, 3),
                st.none()
                | st.booleans()
                | st.integers(-9, 9)
                | st.floats(-1e9, 1e9)
                | st.sampled_from([1e308, -1e308, "word"]),
            ),
            max_size=10,
        ),
        min_size=1,
        max_size=5,
    )
)
def test_rolled_up_figures_are_those_of_brute_force(
    make_line: Callable[[], Line], batches: list[list[tuple[int, int, Any]]]
) -> None:
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
        assert bool(retention.roll_up(line.database, 0)) == bool(batch)
        assert retention.roll_up(line.database, 0) == 0
    stored = {
        (row["step"], row["ts"], field): four for row in line.rows("rollup") for field, four in row["data"].items()
    }
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
    return Add(
        "telemetry",
        {
            "series": 1,
            "ts": ts,
            "received": ts,
            "stream": None,
            "seq": None,
            "data": {field: value},
        },
    )


def test_numbers_go_on_after_everything_was_forgotten(line: Line) -> None:
    """SQLite gives the ids of deleted rows again: the bookmark would be ahead of them."""
    for ts in (NOW, NOW + 30 * retention.DAY):
        for _ in range(3):
            line.apply([retention_row(ts, "a", 1)])
        line.step([])
        retention.roll_up(line.database, 0)
        retention.forget(line.database, Settings(), ts + 20 * retention.DAY)
    assert {row["data"]["a"][0] for row in line.rows("rollup")} == {3}
    assert len(line.rows("rollup")) == 4
    assert len(line.rows("telemetry")) == 1


def test_what_is_too_old_is_forgotten(line: Line) -> None:
    kept = Settings(keep_raw_days=1, keep_logs_days=2)
    now = NOW + 3 * retention.DAY
    for age in (0, 1, 2, 3):
        line.apply([retention_row(now - age * retention.DAY - 1, "a", age)])
        line.send(fleet.LOG, {"ts": now - age * retention.DAY - 1, "level": "info", "text": str(age)})
    retention.roll_up(line.database, 0)
    retention.forget(line.database, kept, now)
    assert [row["data"]["a"] for row in line.rows("telemetry")] in ([0], [0, 3]), (
        "the newest row stays, whatever its time"
    )
    assert [row["text"] for row in line.rows("log")] == ["0", "1"]
    assert len(line.rows("rollup")) == 8
    retention.forget(line.database, kept, now + 5000 * retention.DAY)
    assert not line.rows("rollup")
    late = now - 2 * retention.DAY
    line.apply([retention_row(late, "a", 1), retention_row(2**53 - 1, "a", 1)])
    line.step([])
    retention.roll_up(line.database, now - retention.DAY)
    assert all(row["ts"] >= now - retention.DAY - retention.HOUR for row in line.rows("rollup"))
