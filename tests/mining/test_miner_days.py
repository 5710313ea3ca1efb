"""Energy and shares over time, against counting by hand: gaps, restarts, days."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from commander.db_edge import Database
from commander.effects import Add, Row
from commander.fleet import retention
from commander.fleet.hashes import hashed_id
from commander.mining import days
from commander.mining.counters import Figures
from commander.mining.days import DAY, HOUR, MINUTE, Span
from commander.mining.miner_views import history
from tests.commander.line import NOW, Line

BEGIN = NOW // DAY * DAY
DEVICE = ("rig-1", "miner-a")
MINUTES = st.lists(st.tuples(st.booleans(), st.integers(0, 5_000), st.integers(0, 10**6)), min_size=1, max_size=90)


@given(MINUTES)
def test_energy_is_power_over_the_time_that_was_heard(minutes: list[tuple[bool, int, int]]) -> None:
    spans = [
        Span(BEGIN + number * MINUTE, 60, {"power": (6, power, power, power), "hashrate": (6, rate, rate, rate)})
        for number, (heard, power, rate) in enumerate(minutes)
        if heard
    ]
    rows = days.per_step(spans, [], DAY, BEGIN, BEGIN + DAY)
    joules = sum(power * 60 for heard, power, _ in minutes if heard)
    if not spans:
        assert rows == []
        return
    (row,) = rows
    assert row["kwh"] == pytest.approx(joules / 3_600_000, rel=1e-5)
    assert row["hashes"] == pytest.approx(sum(rate * 60 for heard, _, rate in minutes if heard), rel=1e-5)
    assert row["power"] == pytest.approx(joules / 60 / len(spans), rel=1e-5)
    assert (row["heard_s"], row["covered_pct"]) == (60 * len(spans), round(len(spans) / 14.4, 1))
    by_minute = days.per_step(spans, [], MINUTE, BEGIN, BEGIN + DAY)
    assert days.totals(by_minute)["kwh"] == pytest.approx(row["kwh"], rel=1e-4)


def test_a_field_told_half_of_the_time_counts_half() -> None:
    span = Span(BEGIN, 3600, {"power": (30, 90, 100, 110), "cards": (60, 1, 1, 1)})
    (row,) = days.per_step([span], [], HOUR, BEGIN, BEGIN + HOUR)
    assert (row["kwh"], row["power"], row["hashrate"]) == (0.05, 100, None)


def test_shares_of_both_algorithms_and_of_a_restart() -> None:
    def at(minute: int, first: int, second: int) -> Figures:
        return Figures(BEGIN + minute * MINUTE, {"accepted": (first, first), "accepted_2": (second, second)})

    counts = [at(-1, 10, 1), at(0, 15, 2), at(1, 3, 0), at(2, 4, 0)]
    (row,) = days.per_step([], counts, HOUR, BEGIN, BEGIN + HOUR)
    assert (row["accepted"], row["kwh"], row["covered_pct"]) == (5 + 3 + 1 + 1, None, 0)


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Line:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('days') / 'farm.db'}")
    database.migrate()
    return Line(database)


@pytest.fixture
def measured(line: Line) -> Callable[..., None]:
    with line.database.writing() as connection:
        for table in ("telemetry", "rollup", "bookmark"):
            connection.execute(text(f"DELETE FROM {table}"))

    def say(ts: int, device: str = "miner-a", **data: float | str) -> None:
        row = {"series": hashed_id("rig-1", device, "miner"), "ts": ts, "received": ts, "stream": None, "seq": None}
        line.apply([Add("telemetry", {**row, "data": data})])

    return say


def past(line: Line, step: str, since: int, until: int, *devices: str) -> dict[str, list[Row]]:
    line.step([])
    retention.roll_up(line.database, 0)
    with line.database.reading() as connection:
        found = history(connection, [("rig-1", device) for device in devices or ("miner-a",)], step, since, until)
    return {device: rows for (_, device), rows in found.items()}


def test_a_day_with_a_gap_and_a_restart(line: Line, measured: Callable[..., None]) -> None:
    """Two hours at 1 kW with 20 s between figures, a gap of half an hour, and a miner that began again in it."""
    counter = 100
    measured(BEGIN - 2 * MINUTE, accepted=90, power=1000, hashrate=50)
    for second in range(0, 7200, 20):
        minute = second // 60
        if 60 <= minute < 90:
            counter = 0
            continue
        counter += second % 60 == 0
        measured(BEGIN + second * 1000, state="online", accepted=counter, power=1000, hashrate=50)
    hours = past(line, "hour", BEGIN, BEGIN + 2 * HOUR)["miner-a"]
    assert [(row["kwh"], row["covered_pct"], row["hashes"]) for row in hours] == [(1, 100, 180_000), (0.5, 50, 90_000)]
    assert [row["accepted"] for row in hours] == [10 + 60, 30], "10 between the last figures before and the day's first"
    (day,) = past(line, "day", BEGIN, BEGIN + DAY)["miner-a"]
    assert (day["kwh"], day["accepted"], day["heard_s"], day["covered_pct"]) == (1.5, 100, 5400, 6.2)
    minutes = past(line, "minute", BEGIN + HOUR, BEGIN + 2 * HOUR)["miner-a"]
    assert (len(minutes), sum(row["accepted"] for row in minutes), minutes[0]["ts"]) == (30, 30, BEGIN + 90 * MINUTE)


def test_hours_whose_minutes_are_forgotten_count_whole(line: Line, measured: Callable[..., None]) -> None:
    for minute in range(30):
        measured(BEGIN + minute * MINUTE, power=1000)
    assert past(line, "hour", BEGIN, BEGIN + HOUR)["miner-a"][0]["kwh"] == 0.5
    with line.database.writing() as connection:
        connection.execute(text("DELETE FROM rollup WHERE step = 60000"))
    assert past(line, "hour", BEGIN, BEGIN + HOUR)["miner-a"][0]["kwh"] == 1


def test_many_at_once_are_kept_apart(line: Line, measured: Callable[..., None]) -> None:
    names = [f"asic-{number}" for number in range(1_100)]
    for number, name in enumerate(names[::100]):
        measured(BEGIN, name, power=100 * number, accepted=1)
        measured(BEGIN + MINUTE, name, power=100 * number, accepted=1 + number)
    found = past(line, "day", BEGIN, BEGIN + DAY, *names)
    assert len(found) == 1_100
    assert [found[name][0]["accepted"] for name in names[::100]] == list(range(11))
    assert found[names[1]] == []
    assert found[names[-100]][0]["kwh"] == pytest.approx(1000 * 120 / 3_600_000, rel=1e-4)
