"""What the senders say they sent, against the rows of the commander's database, event by event."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, create_engine, select

from commander.fleet import tables
from commander.fleet.hashes import hashed_id
from commander.service import database_url
from commander.settings import Settings
from tests.system.farm import Farm, wait_for
from tests.system.sentry_process import Sentry

ENVELOPE = ("ts", "stream", "seq")
Row = tuple[Any, ...]


def everything_stored(farm: Farm, sentries: Iterable[Sentry]) -> None:
    """Wait until the marks have passed all that is now in the outboxes."""
    for sentry in sentries:
        last = sentry.last
        wait_for(f"{sentry.name}: mark {last}", lambda sentry=sentry, last=last: sentry.mark >= last)


def each_exactly_once(farm: Farm, sentries: Iterable[Sentry]) -> int:
    """Fails unless the database holds each event of these sentries once, and as it was sent; how many they are."""
    checked = 0
    engine = create_engine(database_url(Settings(state=farm.state), farm.file))
    try:
        with engine.connect() as database:
            for sentry in sentries:
                checked += _compare(database, sentry)
    finally:
        engine.dispose()
    return checked


def stream_without_holes(farm: Farm, node: str) -> dict[str, int]:
    """stream -> mark of a node that keeps no record; fails unless each number up to the mark is there once.

    A board's queue is a few events of memory: what it gave up in an outage it must have declared.
    """
    marks: dict[str, int] = {}
    engine = create_engine(database_url(Settings(state=farm.state), farm.file))
    try:
        with engine.connect() as database:
            query = select(tables.stream.c.name, tables.stream.c.mark).where(tables.stream.c.node == node)
            event = tables.event.c
            declared = select(event.data).where(event.node == node, event.type == "gap")
            gaps = [range(gap["from"], gap["to"] + 1) for gap in database.execute(declared).scalars()]
            for stream, mark in database.execute(query).all():
                times = Counter(seq for _, seq in _stored(database, node, [stream]))
                assert max(times.values(), default=1) == 1
                missing = [seq for seq in range(1, mark + 1) if not times[seq] and not any(seq in gap for gap in gaps)]
                assert not missing, f"{node}, stream {stream}: neither stored nor given up: {missing[:20]}"
                marks[stream] = mark
    finally:
        engine.dispose()
    return marks


def _compare(database: Connection, sentry: Sentry) -> int:
    sent = sentry.history()
    stored = _stored(database, sentry.name, sorted({stream for stream, _ in sent}))
    # What came after the last look at the outbox is no concern of this comparison.
    newest: dict[str, int] = {}
    for stream, seq in sent:
        newest[stream] = max(seq, newest.get(stream, 0))
    stored = {place: rows for place, rows in stored.items() if place[1] <= newest[place[0]]}
    mark = sentry.mark
    stream_now = sentry.ask("SELECT id FROM stream")[0][0]
    due = {place for place in sent if place[0] != stream_now or place[1] <= mark}
    missing = sorted(due - stored.keys())
    assert not missing, f"{sentry.name}: {len(missing)} of {len(due)} events are not stored: {missing[:10]}"
    strange = sorted(stored.keys() - sent.keys())
    assert not strange, f"{sentry.name}: {len(strange)} stored events were never sent: {strange[:10]}"
    for place in due:
        rows = stored[place]
        assert rows == [_row(*sent[place])], f"{sentry.name} {place}: sent {sent[place]}, stored {rows}"
    return len(due)


def _row(topic: str, data: Any) -> Row:
    """What shall be stored of a message: what kind of row, whose, when, and what it says."""
    _root, _domain, node, device, channel, name = topic.split("/")
    values = {key: value for key, value in data.items() if key not in ENVELOPE}
    if channel == "tele":
        return ("tele", hashed_id(node, device, name), data["ts"], values)
    return ("evt", (node, device, name), data["ts"], values)


def _stored(database: Connection, node: str, streams: list[str]) -> dict[tuple[str, int], list[Row]]:
    found: dict[tuple[str, int], list[Row]] = {}
    names = {hashed_id(node, stream): stream for stream in streams}
    tele, event = tables.telemetry.c, tables.event.c
    query = select(tele.stream, tele.seq, tele.series, tele.ts, tele.data).where(tele.stream.in_(names))
    for stream, seq, series, ts, data in database.execute(query):
        found.setdefault((names[stream], seq), []).append(("tele", series, ts, data))
    query = select(event.stream, event.seq, event.node, event.device, event.type, event.ts, event.data)
    for stream, seq, whose, device, kind, ts, data in database.execute(query.where(event.stream.in_(names))):
        found.setdefault((names[stream], seq), []).append(("evt", (whose, device, kind), ts, data))
    return found
