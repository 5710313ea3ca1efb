"""The outbox: events on disk, numbered without holes, deleted only when the mark has passed them.

An outbox file is one *stream*. Each row covers the seqs `first`..`seq`: an event covers one, a gap
covers all that had to be given up. Together the rows always cover everything from the mark to the
newest event, which is what lets the commander's mark move on.

Several processes may write (`farmhand sentry emit` does): numbers are given inside a transaction.
"""

import hashlib
import secrets
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from schema.message import Invalid
from schema.wire import dumps, loads
from sentry.events import Event, Sender

# `FULL`: after a power cut a seq must not be given twice, or the commander takes the second event
# for a duplicate of the first. Commits are gathered, so one sync serves many events.
TABLES = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS stream (
    id TEXT NOT NULL, next_seq INTEGER NOT NULL, mark INTEGER NOT NULL,
    rows INTEGER NOT NULL, bytes INTEGER NOT NULL, dropped INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS queue (
    seq INTEGER PRIMARY KEY, first INTEGER NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS history (
    stream TEXT NOT NULL, seq INTEGER NOT NULL, sha TEXT NOT NULL,
    topic TEXT NOT NULL, payload BLOB NOT NULL
);
"""
IN_MEMORY = 10_000


@dataclass(frozen=True, slots=True)
class Item:
    """A row to send: the seqs it covers, its topic, its payload."""

    first: int
    seq: int
    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Figures:
    """``rows`` and ``bytes`` on disk, ``dropped`` ever, ``waiting`` in memory for a full disk."""

    stream: str
    next_seq: int
    mark: int
    rows: int
    bytes: int
    dropped: int
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """What is kept while nobody stores it: ``rows``, and ``bytes`` of payload."""

    rows: int
    bytes: int


def _until_free(work: Callable[[], object]) -> None:
    # SQLite's own waiting does not cover the switch of a new file to WAL by two processes at once.
    for _ in range(100):
        try:
            work()
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            time.sleep(0.05)
    work()


class Outbox:
    """``now``: the clock for declared gaps, ms since 1970."""

    def __init__(
        self,
        path: Path,
        sender: Sender,
        now: Callable[[], int],
        limits: Limits,
        history: bool = False,
    ) -> None:
        self._sender, self._now, self._history = sender, now, history
        self._max_rows, self._max_bytes = limits.rows, limits.bytes
        self._waiting: deque[Event] = deque()
        self._lost = 0  # given up before they had a number
        self.problem = ""
        self.unfit: list[Invalid] = []
        self._db = sqlite3.connect(path, timeout=10, isolation_level=None)
        _until_free(lambda: self._db.executescript(TABLES))
        if self._db.execute("SELECT count(*) FROM stream").fetchone()[0] == 0:
            new = (_new_stream(), 1, 0, 0, 0, 0)
            self._db.execute("INSERT INTO stream VALUES (?, ?, ?, ?, ?, ?)", new)
        self._db.execute("COMMIT")

    def close(self) -> None:
        self._db.close()

    def figures(self) -> Figures:
        row = self._db.execute("SELECT * FROM stream").fetchone()
        return Figures(*row, waiting=len(self._waiting) + self._lost)

    def after(self, seq: int, limit: int, most: int) -> list[Item]:
        """At most ``most`` rows behind ``seq`` that begin no later than ``limit``, in order."""
        found = self._db.execute(
            "SELECT first, seq, topic, payload FROM queue WHERE seq > ? AND first <= ? ORDER BY seq LIMIT ?",
            (seq, limit, most),
        )
        return [Item(*row) for row in found]

    def put(self, events: Iterable[Event]) -> bool:
        """Store events in one commit. False: the disk is full, they wait in memory for the next."""
        self._waiting.extend(events)
        while len(self._waiting) > IN_MEMORY:
            self._waiting.popleft()
            self._lost += 1
        if not self._waiting and not self._lost:
            return True
        try:
            with self._transaction():
                self._store()
        except sqlite3.OperationalError as error:
            self.problem = str(error)
            return False
        self._waiting.clear()
        self._lost, self.problem = 0, ""
        return True

    def advance(self, mark: int) -> bool:
        """Delete what the mark has passed. True: this file is older than what the commander knows
        (a restored disk image), so a new stream was begun; its marks begin at 0."""
        with self._transaction():
            figures = self.figures()
            if mark >= figures.next_seq:
                self._begin_again(figures)
                return True
            if mark > figures.mark:
                self._delete_through(mark)
                self._db.execute("UPDATE stream SET mark = ?", (mark,))
        return False

    def _store(self) -> None:
        figures = self.figures()
        seq = figures.next_seq
        rows: list[tuple[int, int, str, bytes]] = []
        if self._lost:
            rows.append(self._gap_row(figures.stream, seq, seq + self._lost - 1, "disk full"))
            seq += self._lost
        self.unfit.clear()
        for event in self._waiting:
            try:
                topic, payload = self._sender.encode(event, figures.stream, seq)
            except Invalid as error:  # a fault of this program: it must not stop what is sound
                self.unfit.append(error)
                continue
            rows.append((seq, seq, topic, payload))
            seq += 1
        size = sum(len(row[3]) for row in rows)
        self._insert(rows)
        self._db.execute(
            "UPDATE stream SET next_seq = ?, rows = rows + ?, bytes = bytes + ?, dropped = dropped + ?",
            (seq, len(rows), size, self._lost),
        )
        if self._history:
            record = [(figures.stream, row[0], hashlib.sha256(row[3]).hexdigest(), row[2], row[3]) for row in rows]
            self._db.executemany("INSERT INTO history VALUES (?, ?, ?, ?, ?)", record)
        self._shed(figures.rows + len(rows), figures.bytes + size)

    def _shed(self, rows: int, size: int) -> None:
        """Beyond a limit give up the oldest tenth at once, so that gaps are few and long."""
        if rows <= self._max_rows and size <= self._max_bytes:
            return
        gap_topic = self._sender.topic("evt", "gap")
        first = last = dropped = 0
        for row_first, seq, topic, length in self._db.execute(
            "SELECT first, seq, topic, length(payload) FROM queue ORDER BY seq"
        ):
            if last and rows <= self._max_rows * 9 // 10 and size <= self._max_bytes * 9 // 10:
                break
            first, last = first or row_first, seq
            rows, size = rows - 1, size - length
            dropped += topic != gap_topic
        self._delete_through(last)
        stream = self.figures().stream
        gap = self._gap_row(stream, first, last, "outbox full: the commander stored nothing")
        self._insert([gap])
        self._db.execute(
            "UPDATE stream SET rows = rows + 1, bytes = bytes + ?, dropped = dropped + ?",
            (len(gap[3]), dropped),
        )

    def _begin_again(self, figures: Figures) -> None:
        """Move all rows to a new stream: the numbers of the old one were given before."""
        stream, shift = _new_stream(), figures.mark
        moved: list[tuple[int, int, str, bytes]] = []
        for seq, first, topic, payload in self._db.execute("SELECT seq, first, topic, payload FROM queue ORDER BY seq"):
            new_first, new_seq = max(1, first - shift), seq - shift
            data = loads(payload) | {"stream": stream}
            data |= {"from": new_first, "to": new_seq} if "from" in data else {"seq": new_seq}
            moved.append((new_seq, new_first, topic, dumps(data)))
        self._db.execute("DELETE FROM queue")
        self._insert(moved)
        self._db.execute(
            "UPDATE stream SET id = ?, next_seq = ?, mark = 0, bytes = ?",
            (stream, figures.next_seq - shift, sum(len(row[3]) for row in moved)),
        )

    def _gap_row(self, stream: str, first: int, last: int, why: str) -> tuple[int, int, str, bytes]:
        gap = Event("evt", "gap", self._now(), {"from": first, "to": last, "why": why})
        return (last, first, *self._sender.encode(gap, stream, None))

    def _insert(self, rows: list[tuple[int, int, str, bytes]]) -> None:
        self._db.executemany("INSERT INTO queue VALUES (?, ?, ?, ?)", rows)

    def _delete_through(self, seq: int) -> None:
        rows, size = self._db.execute(
            "SELECT count(*), coalesce(sum(length(payload)), 0) FROM queue WHERE seq <= ?", (seq,)
        ).fetchone()
        self._db.execute("DELETE FROM queue WHERE seq <= ?", (seq,))
        self._db.execute("UPDATE stream SET rows = rows - ?, bytes = bytes - ?", (rows, size))

    @contextmanager
    def _transaction(self) -> Generator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # SQLite rolls back by itself when the disk is full
                self._db.execute("ROLLBACK")
            raise


def _new_stream() -> str:
    return "s-" + secrets.token_hex(8)
