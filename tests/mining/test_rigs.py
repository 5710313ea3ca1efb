"""What a rig did over time, against counting by hand: counters begin again, figures are rolled up."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from commander.db_edge import Database
from commander.effects import Add, Put
from commander.fleet import retention
from commander.fleet.hashes import hashed_id
from commander.mining import rigs, views
from commander.mining.counters import Figures, gained, per_step
from tests.commander.line import NOW, Line

BEGIN = NOW // views.DAY * views.DAY
# (seconds since the sample before, shares accepted since then, whether the counter began again before them)
SAMPLES = st.lists(
    st.tuples(st.integers(5, 900), st.integers(0, 9), st.sampled_from([False] * 9 + [True])), min_size=1, max_size=60
)

# Begins again three times in an hour.
CRASHING = [(60, 0 if again else 9, again) for _ in range(3) for again in (False, False, True)] + [(3600, 1, False)] * 2


def played(samples: list[tuple[int, int, bool]]) -> tuple[list[tuple[int, int, int]], list[tuple[int, int]]]:
    """(ts, shares, reports since it began) as the slave reports it, and (ts, gain of shares) that can be known from
    that."""
    told, gains = [], []
    ts, counter, reports = BEGIN, 0, 0
    for number, (seconds, gain, again) in enumerate(samples):
        before, counter = counter, (0 if again else counter) + gain
        ts += seconds * 1000
        reports = 0 if again or not number else reports + 1
        told.append((ts, counter, reports))
        # A counter that has passed what it was before it began again looks as if it had not.
        gains.append((ts, 0 if not number else counter - before if counter >= before else counter))
    return told, gains


def single(ts: int, value: float) -> Figures:
    return Figures(ts, {"accepted": (value, value)})


@given(SAMPLES, st.sampled_from([views.MINUTE, views.HOUR]))
def test_single_values_are_counted_exactly(samples: list[tuple[int, int, bool]], step: int) -> None:
    told, gains = played(samples)
    wanted: dict[int, float] = {}
    for ts, gain in gains:
        wanted[ts // step * step] = wanted.get(ts // step * step, 0) + gain
    found = per_step([single(ts, counter) for ts, counter, _ in told], ["accepted"], step, BEGIN)
    assert {begin: row["accepted"] for begin, row in found.items()} == wanted


@pytest.mark.parametrize(
    ("figures", "gains"),
    [
        ([(0, 5), (5, 9)], [5, 4]),
        ([(5, 5), (7, 9), (9, 9)], [0, 4, 0]),
        ([(5, 9), (0, 12), (2, 4)], [4, 3, 4]),  # up to 12, then anew
        ([(5, 9), (0, 3), (3, 4)], [4, 3, 1]),  # anew at once
        ([(5, 9), (0, 12), (12, 14)], [4, 12, 2]),  # anew, and past 9 by now
        ([(5, 9), (0, 12)], [4, 3]),  # cannot be known yet: the lesser
        ([(5, 9), (2, 2)], [4, 2]),
    ],
)
def test_a_restart_inside_of_figures(figures: list[tuple[float, float]], gains: list[float]) -> None:
    rolled = [Figures(ts, {"accepted": both}) for ts, both in enumerate(figures)]
    assert [gain for _, gain in gained(rolled, "accepted")] == gains


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Line:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('rigs') / 'farm.db'}")
    database.migrate()
    return Line(database)


def history(line: Line, step: str, since: int, until: int) -> dict[str, object]:
    with line.database.reading() as connection:
        return views.history(connection, "rig-1", ["avr-11"], step, since, until)


@settings(max_examples=25)
@given(SAMPLES, st.integers(0, 60))
@example([(1700, 5, False), (1700, 5, False), (1700, 5, False), (1700, 5, False)], 2)
@example([(600, 9, again) for _ in range(3) for again in (False, False)], 3)
@example(CRASHING, 9)
@example([(4000, 5, False)] * 2 + CRASHING, 11)
def test_history_loses_no_more_than_the_minutes_of_restarts(
    line: Line, samples: list[tuple[int, int, bool]], rolled: int
) -> None:
    """From down-sampled figures and, at the end, raw ones that are not down-sampled yet."""
    told, gains = played(samples)
    with line.database.writing() as connection:
        for table in ("telemetry", "rollup", "bookmark"):
            connection.execute(text(f"DELETE FROM {table}"))
    for number, (ts, counter, reports) in enumerate(told):
        row = {"series": hashed_id("rig-1", "avr-11", "slave"), "ts": ts, "received": ts, "stream": None, "seq": None}
        line.apply([Add("telemetry", {**row, "data": {"accepted": counter, "requests": reports, "server": "K"}})])
        if number == rolled:
            line.step([])
            retention.roll_up(line.database, 0)
    line.step([])
    restarts = {ts // views.MINUTE for (ts, _, _), (_, _, again) in zip(told, samples, strict=True) if again}
    unsure = sum(gain for ts, gain in gains if ts // views.MINUTE in restarts)
    total = sum(gain for _, gain in gains)
    hour = history(line, "hour", BEGIN, told[-1][0] + 1)
    assert abs(hour["totals"]["accepted"] - total) <= unsure
    assert sum(item["accepted"] for item in hour["items"]) == hour["totals"]["accepted"]
    assert hour["slaves"]["avr-11"] == hour["totals"]
    if not unsure:
        wanted: dict[int, int] = {}
        for ts, gain in gains:
            wanted[ts // views.HOUR * views.HOUR] = wanted.get(ts // views.HOUR * views.HOUR, 0) + gain
        assert {item["ts"]: item["accepted"] for item in hour["items"]} == wanted
        day = history(line, "day", BEGIN, BEGIN + views.DAY)
        assert sum(item["accepted"] for item in day["items"]) == total
        retention.roll_up(line.database, 0)
        assert history(line, "hour", BEGIN, told[-1][0] + 1) == hour
        middle = BEGIN + views.HOUR
        later = history(line, "minute", middle, max(told[-1][0], middle) + 1)
        assert later["totals"]["accepted"] == sum(gain for ts, gain in gains if ts >= middle)


def latest(device: str, part: str, node: str, received: int, **data: object) -> Put:
    series = hashed_id(node, device, part)
    row = {"series": series, "node": node, "device": device, "part": part, "ts": received, "received": received}
    return Put("latest", series, {**row, "data": data})


def test_a_rig_as_it_is_now(line: Line) -> None:
    said = {
        "state": "ready",
        "state_at": NOW,
        "info": {"software": "AVR v1 16 MHz DUCOIDX", "hardware": "A, DUCOID" + "0F" * 8},
    }
    counts = {"requests": 4, "request_wait_ms": 100, "accepted": 1, "refused": 1, "lost": 1, "send_wait_ms": 60}
    line.apply(
        [
            Put("heard", "rig-1", {"node": "rig-1", "ts": NOW}),
            latest("avr-9", "slave", "rig-1", NOW, server="F", state="E", hashrate=3000, busy_pct=90, **counts),
            latest("avr-11", "slave", "rig-1", NOW - 61_000, server="K", state="B", hashrate=5000, busy_pct=50),
            latest("avr-12", "slave", "rig-1", NOW, server="D", accepted=1e300, hashrate="fast", difficulty=True),
            latest("avr-10", "slave", "rig-1", NOW, server="G", state="B", hashrate=100, busy_pct=10, **counts),
            Put("device", ("rig-1", "avr-9"), {"node": "rig-1", "device": "avr-9", **said}),
            latest("rig-1_avr-9", "pool", "rig-2", NOW - 5, server="JE", tier="DUE"),
            latest("rig-1_avr-9", "pool", "steward-barn", NOW - 50_000, server="DD"),
            Put("alert", ("rig-1", "self", "avr-10"), {"node": "rig-1", "device": "self", "name": "avr-10"}),
        ]
    )
    rig = rigs.rig(line.farm, "rig-1", NOW)
    assert rig is not None
    assert [(each["device"], each["presence"]) for each in rig["slaves"]] == [
        ("avr-11", "lost"),
        ("avr-12", "lost"),
        ("avr-10", "ready"),
        ("avr-9", "ready"),
    ], "those with a problem first: lost (silent, disconnected), then with an alert"
    nine = rig["slaves"][3]
    assert (nine["chip"], nine["firmware"]) == ("0F" * 8, "AVR v1 16 MHz")
    assert (nine["server_text"], nine["state_text"]) == ("last share refused", "error")
    assert (nine["job_wait_ms"], nine["verdict_wait_ms"]) == (25, 20)
    assert nine["pool"] == {"gateway": "rig-2", "age_ms": 5, "server": "JE", "tier": "DUE"}, "the newest"
    twelve = rig["slaves"][1]
    assert twelve["accepted"] is twelve["hashrate"] is twelve["difficulty"] is None, "no figures that can be added up"
    totals = rig["totals"]
    assert (totals["here"], totals["known"], totals["hashrate"], totals["busy_pct"]) == (2, 4, 3100, 50)
    assert (totals["accepted"], totals["refused"], totals["job_wait_ms"], totals["verdict_wait_ms"]) == (2, 2, 25, 20)
    (listed,) = rigs.rig_list(line.farm, NOW)
    assert listed["totals"] == totals
    assert rigs.rig(line.farm, "rig-2", NOW) is None
    away = rigs.rig(line.farm, "rig-1", NOW + 3_600_000)
    assert away is not None
    assert {each["presence"] for each in away["slaves"]} == {"lost"}
