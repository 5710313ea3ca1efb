"""Down-sampled figures of miners and ASICs, of hundreds with a few SELECTs. What is made of them: days.py."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, and_, func, select

from commander.effects import Row
from commander.fleet import tables
from commander.fleet.hashes import hashed_id
from commander.fleet.views import HOUR, MINUTE
from commander.mining.counters import Figures, fell
from commander.mining.days import COUNTERS, Span, per_step
from commander.mining.machines import PART
from commander.mining.views import CLOSELY, DAY, STEPS

AT_ONCE = 500  # series in one SELECT
LOOK_BACK = 2 * DAY  # how long before a range the last known state of a counter may be
_r = tables.rollup

Device = tuple[str, str]


def history(
    connection: Connection, devices: Sequence[Device], step: str, since: int, until: int
) -> dict[Device, list[Row]]:
    """(node, device) -> its rows by `step` (`minute`, `hour`, `day`): see days.per_step."""
    ms = STEPS[step]
    finest = MINUTE if step == "minute" else HOUR
    by_series = {hashed_id(node, device, PART): (node, device) for node, device in devices}
    found: dict[Device, list[Row]] = {}
    for some in _portions(list(by_series)):
        rows = _rows(connection, some, finest, since, until)
        before = _before(connection, some, finest, since)
        minutes = _minutes_heard(connection, some, since, until) if finest == HOUR else {}
        for series in some:
            spans = [
                Span(ts, _heard_s(minutes.get((series, ts)), ts, finest, until), data)
                for ts, data in rows.get(series, [])
            ]
            counts = _counts(connection, series, finest, spans, before.get(series), until - since <= CLOSELY)
            found[by_series[series]] = per_step(spans, counts, ms, since, until)
    return found


def _portions(series: list[int]) -> Iterator[list[int]]:
    for begin in range(0, len(series), AT_ONCE):
        yield series[begin : begin + AT_ONCE]


def _rows(
    connection: Connection, series: list[int], step: int, since: int, until: int
) -> dict[int, list[tuple[int, Row]]]:
    query = select(_r.c.series, _r.c.ts, _r.c.data).where(
        _r.c.series.in_(series), _r.c.step == step, _r.c.ts >= since, _r.c.ts < until
    )
    found: dict[int, list[tuple[int, Row]]] = {}
    for each, ts, data in connection.execute(query.order_by(_r.c.series, _r.c.ts)):
        found.setdefault(each, []).append((ts, data))
    return found


def _before(connection: Connection, series: list[int], step: int, since: int) -> dict[int, Figures]:
    """Where the counters stood before."""
    last = (
        select(_r.c.series, func.max(_r.c.ts).label("ts"))
        .where(_r.c.series.in_(series), _r.c.step == step, _r.c.ts >= since - LOOK_BACK, _r.c.ts <= since - step)
        .group_by(_r.c.series)
        .subquery()
    )
    query = select(_r.c.series, _r.c.ts, _r.c.data).join(
        last, and_(_r.c.series == last.c.series, _r.c.ts == last.c.ts, _r.c.step == step)
    )
    return {each: _counters(ts, data) for each, ts, data in connection.execute(query)}


def _minutes_heard(connection: Connection, series: list[int], since: int, until: int) -> dict[tuple[int, int], int]:
    """(series, begin of the hour) -> in how many of its minutes figures came."""
    hour = (_r.c.ts - _r.c.ts % HOUR).label("hour")
    query = select(_r.c.series, hour, func.count()).where(
        _r.c.series.in_(series), _r.c.step == MINUTE, _r.c.ts >= since, _r.c.ts < until
    )
    return {(each, ts): count for each, ts, count in connection.execute(query.group_by(_r.c.series, hour))}


def _heard_s(minutes: int | None, ts: int, step: int, until: int) -> float:
    """An hour whose minutes are not kept any more counts as a whole one."""
    heard = 60 * minutes if minutes else step // 1000
    return max(0.0, min(heard, (until - ts) / 1000))


def _counts(
    connection: Connection, series: int, step: int, spans: list[Span], before: Figures | None, closely: bool
) -> list[Figures]:
    """The counters by time; an hour in which they began again is looked at minute by minute."""
    found = [before] if before else []
    for span in spans:
        figures = _counters(span.ts, span.fields)
        again = step == HOUR and closely and (not found or fell(found[-1], figures))
        finer = _rows(connection, [series], MINUTE, span.ts, span.ts + HOUR).get(series, []) if again else []
        found += [_counters(ts, data) for ts, data in finer] or [figures]
    return found


def _counters(ts: int, data: Any) -> Figures:
    return Figures(ts, {name: (data[name][1], data[name][3]) for name in COUNTERS if name in data})
