"""What a rig did over time: sums of what its slaves' counters gained. From the down-sampled history, so that a month is
as quick as an hour.
"""

from typing import Any

from sqlalchemy import Connection, select

from commander.effects import Row
from commander.fleet import tables
from commander.fleet.hashes import hashed_id
from commander.fleet.views import HOUR, MINUTE
from commander.mining.counters import Figures, fell, per_step
from commander.mining.rigs import COUNTERS, PART, SUMS, mean, number, plain

DAY = 24 * HOUR
STEPS = {"minute": MINUTE, "hour": HOUR, "day": DAY}
# Longest range of each step.
LONGEST = {"minute": 6 * HOUR, "hour": 31 * DAY, "day": 92 * DAY}
CLOSELY = 7 * DAY  # ranges up to this are looked at minute by minute where a counter began again
MOST_RAW = 2_000


def history(connection: Connection, node: str, devices: list[str], step: str, since: int, until: int) -> Row:
    """{"items": [{"ts": begin of the step, what all slaves did in it}], "totals", "slaves": {device: what it did}} of
    the steps that begin from `since` to `until` (ms)."""
    ms = STEPS[step]
    finest = MINUTE if step == "minute" else HOUR
    gains: dict[str, dict[int, dict[str, float]]] = {}
    for device in devices:
        series = hashed_id(node, device, PART)
        before = _before(connection, series, since)
        figures = _figures(connection, series, finest, since, until, before)
        gains[device] = per_step(figures, COUNTERS, ms, since)
    begins = sorted({begin for rows in gains.values() for begin in rows})
    items = [
        {"ts": begin, **_sums([rows.get(begin, {}) for rows in gains.values()], min(ms, until - begin))}
        for begin in begins
    ]
    return {
        "items": items,
        "totals": _sums([row for rows in gains.values() for row in rows.values()]),
        "slaves": {device: _sums(list(rows.values())) for device, rows in gains.items()},
    }


def _sums(gains: list[dict[str, float]], ms: int = 0) -> Row:
    total = {name: sum((row.get(name, 0.0) for row in gains), 0.0) for name in COUNTERS}
    judged = total["accepted"] + total["refused"] + total["lost"]
    return {
        **{name: plain(total[name]) for name in (*SUMS, "hashes")},
        **({"hashrate": plain(total["hashes"] * 1000 / ms)} if ms else {}),
        "job_wait_ms": mean(total["request_wait_ms"], total["requests"]),
        "verdict_wait_ms": mean(total["send_wait_ms"], judged),
    }


def _before(connection: Connection, series: int, since: int) -> list[Figures]:
    """Where the counters stood before."""
    r = tables.rollup
    for step in (MINUTE, HOUR):
        query = select(r.c.ts, r.c.data).where(r.c.series == series, r.c.step == step, r.c.ts <= since - step)
        row = connection.execute(query.order_by(r.c.ts.desc()).limit(1)).first()
        if row:
            return [_rolled(*row)]
    return []


def _figures(
    connection: Connection, series: int, step: int, since: int, until: int, before: list[Figures]
) -> list[Figures]:
    """`before` and what follows, by time; closer where a counter began again, and at the end, since down-sampling is
    behind."""
    if not step:
        return before + _raw(connection, series, since, until)
    finer = MINUTE if step == HOUR else 0
    rows = _rolled_up(connection, series, step, since, until)
    found = before[-1:]
    for row in rows[:-1]:
        again = finer and (not found or (until - since <= CLOSELY and fell(found[-1], row)))
        found += (again and _rolled_up(connection, series, finer, row.ts, row.ts + step)) or [row]
    newest = rows[-1].ts if rows else since
    return found + (_figures(connection, series, finer, newest, until, []) or rows[-1:])


def _rolled_up(connection: Connection, series: int, step: int, since: int, until: int) -> list[Figures]:
    r = tables.rollup
    query = select(r.c.ts, r.c.data).where(r.c.series == series, r.c.step == step, r.c.ts >= since, r.c.ts < until)
    return [_rolled(*row) for row in connection.execute(query.order_by(r.c.ts))]


def _raw(connection: Connection, series: int, since: int, until: int) -> list[Figures]:
    t = tables.telemetry
    query = select(t.c.ts, t.c.data).where(t.c.series == series, t.c.ts >= since, t.c.ts < until)
    rows = connection.execute(query.order_by(t.c.ts.desc()).limit(MOST_RAW)).all()
    return [_single(ts, data) for ts, data in reversed(rows)]


def _rolled(ts: int, data: dict[str, Any]) -> Figures:
    return Figures(ts, {name: (data[name][1], data[name][3]) for name in COUNTERS if name in data})


def _single(ts: int, data: dict[str, Any]) -> Figures:
    values = {name: number(data.get(name)) for name in COUNTERS}
    return Figures(ts, {name: (value, value) for name, value in values.items() if value is not None})
