"""Down-sampling and retention: the database does the arithmetic, so the line is not held up."""

import logging
import threading
import time
from collections.abc import Callable

import orjson
from sqlalchemy import Connection, delete, func, select, text

from commander.boards.tables import board_history, board_result
from commander.db_edge import Database, DatabaseUnavailable
from commander.fleet import tables
from commander.settings import Settings

log = logging.getLogger(__name__)

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
MAX_ROWS = 500_000  # raw rows looked at in one run

# Every bucket that a new row has fallen into is computed anew from all of its rows: late rows need no special case.
_MINUTES = """
SELECT t.series, t.ts / 60000 * 60000 AS bucket, j.key AS field, count(*), min({value}), avg({value}), max({value})
FROM telemetry t
JOIN (SELECT DISTINCT series, ts / 60000 * 60000 AS begin FROM telemetry WHERE id > :low AND id <= :high) AS touched
  ON t.series = touched.series AND t.ts >= touched.begin AND t.ts < touched.begin + 60000
{each}
GROUP BY t.series, bucket, j.key
"""
# Sums of larger numbers would overflow, and one such node would end the down-sampling of all.
_LARGEST = 1e290
_SQLITE = {
    "value": "j.value",
    "each": "JOIN json_each(t.data) AS j WHERE j.type IN ('integer', 'real') "
    f"AND abs(CAST(j.value AS REAL)) < {_LARGEST}",
}
_POSTGRES = {
    "value": "(j.value #>> '{}')::float8",
    "each": "CROSS JOIN LATERAL jsonb_each(t.data::jsonb) AS j WHERE "
    f"CASE WHEN jsonb_typeof(j.value) = 'number' THEN abs((j.value #>> '{{}}')::float8) < {_LARGEST} ELSE FALSE END",
}


def roll_up(database: Database, oldest: int) -> int:
    """Bring minute and hour figures up to date with new raw rows not older than `oldest`; how many raw
    rows were new.
    """
    dialect = _SQLITE if database.is_sqlite else _POSTGRES
    with database.writing() as connection:
        low = (
            connection.execute(select(tables.bookmark.c.value).where(tables.bookmark.c.name == "rollup")).scalar() or 0
        )
        high = connection.execute(select(func.max(tables.telemetry.c.id))).scalar() or 0
        high = min(high, low + MAX_ROWS)
        if high <= low:
            return 0
        buckets: dict[tuple[int, int], dict[str, tuple[float, ...]]] = {}
        statement = text(_MINUTES.replace("{value}", dialect["value"]).replace("{each}", dialect["each"]))
        for series, bucket, field, *four in connection.execute(statement, {"low": low, "high": high}):
            if bucket >= oldest:
                buckets.setdefault((series, bucket), {})[field] = tuple(float(x) for x in four)
        _store(connection, MINUTE, buckets)
        _store(connection, HOUR, _hours(connection, {(series, ts // HOUR * HOUR) for series, ts in buckets}))
        connection.execute(
            text(
                "INSERT INTO bookmark (name, value) VALUES ('rollup', :high) "
                "ON CONFLICT (name) DO UPDATE SET value = :high"
            ),
            {"high": high},
        )
    return high - low


def _hours(connection: Connection, wanted: set[tuple[int, int]]) -> dict[tuple[int, int], dict[str, tuple[float, ...]]]:
    r = tables.rollup
    hours: dict[tuple[int, int], dict[str, tuple[float, ...]]] = {}
    for series, begin in wanted:
        query = select(r.c.data).where(r.c.series == series, r.c.step == MINUTE, r.c.ts >= begin, r.c.ts < begin + HOUR)
        fields: dict[str, tuple[float, ...]] = {}
        for data in connection.execute(query).scalars():
            for field, (count, low, mean, high) in data.items():
                old = fields.get(field, (0.0, low, 0.0, high))
                total = old[0] + count
                fields[field] = (total, min(old[1], low), old[2] + (mean - old[2]) * count / total, max(old[3], high))
        hours[series, begin] = fields
    return hours


def _store(connection: Connection, step: int, buckets: dict[tuple[int, int], dict[str, tuple[float, ...]]]) -> None:
    if not buckets:
        return
    rows = [
        {"series": series, "step": step, "ts": ts, "data": orjson.dumps(fields).decode()}
        for (series, ts), fields in buckets.items()
    ]
    connection.execute(
        text(
            "INSERT INTO rollup (series, step, ts, data) VALUES (:series, :step, :ts, :data) "
            "ON CONFLICT (series, step, ts) DO UPDATE SET data = excluded.data"
        ),
        rows,
    )


def forget(database: Database, settings: Settings, now: int) -> None:
    """Delete what is older than the settings keep."""
    r = tables.rollup
    with database.writing() as connection:
        for table, days in (
            (tables.telemetry, settings.keep_raw_days), (tables.event, settings.keep_events_days),
            (tables.audit, settings.keep_events_days), (board_history, settings.keep_events_days),
            (board_result, settings.keep_events_days),
            (tables.log, settings.keep_logs_days),
            (tables.dead_letter, settings.keep_logs_days),
        ):  # fmt: skip
            old = table.c.ts < now - int(days * DAY)
            if (
                table is tables.telemetry
            ):  # its newest row stays: SQLite would give its id again, and the bookmark is by id
                old &= table.c.id < select(func.max(table.c.id)).scalar_subquery()
            connection.execute(delete(table).where(old))
        for step, days in ((MINUTE, settings.keep_minutes_days), (HOUR, settings.keep_hours_days)):
            connection.execute(delete(r).where(r.c.step == step, r.c.ts < now - int(days * DAY)))


class Housekeeping(threading.Thread):
    """Runs both, and `sweep`, beside the line, until `stop()`."""

    def __init__(self, database: Database, settings: Settings, sweep: Callable[[], None]) -> None:
        super().__init__(name="housekeeping", daemon=True)
        self._sweep = sweep
        self._database = database
        self._settings = settings
        self._stopping = threading.Event()

    def run(self) -> None:
        while not self._stopping.wait(self._settings.housekeeping_s):
            now = int(time.time() * 1000)
            try:
                oldest = now - int(self._settings.keep_raw_days * DAY)
                while roll_up(self._database, oldest) == MAX_ROWS and not self._stopping.is_set():
                    pass
                forget(self._database, self._settings, now)
                self._sweep()
            except (DatabaseUnavailable, Exception) as error:
                log.warning("housekeeping failed, will be tried again: %s", error)

    def stop(self) -> None:
        self._stopping.set()
