"""The bytes of files for nodes: kept in the database, sent block by block on a thread of their own.

The line only notes who asked for what. A farm whose nodes all update at once takes its turn here: one block a node, in
turns, at a limited rate.
"""

import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import lru_cache

from commander.db_edge import Database, DatabaseUnavailable
from commander.effects import Farm, SendBlob
from commander.fleet.tables import blob_block
from schema import fleet, topics, wire

log = logging.getLogger(__name__)

BLOCK = 65_536
BLOCKS_A_TRANSACTION = 16  # the line must not wait long for its own
CACHED = 64  # blocks in memory: the files of one software version, most of them smaller than a block
MOST_ASKED = 16  # what one node may have waiting; of more, the oldest is dropped, and the node asks again
MOST_UNDER_WAY = 100  # messages that the broker has not acknowledged
COST = 4_096  # bytes as which the work for a block counts, however small it is
BURST_S = 0.2

Publish = Callable[[str, bytes, int, bool], None]


class BlobStore:
    """Bytes by SHA-256. Which of them count, the farm's table `blob` says; `sweep` removes the others."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._arriving: list[str] = []
        self._block = lru_cache(CACHED)(self._read_block)

    @contextmanager
    def arriving(self, sha256: str) -> Generator[None]:
        """Until the farm knows it, a file that is written is kept from the sweep."""
        self._arriving.append(sha256)
        try:
            yield
        finally:
            self._arriving.remove(sha256)

    def write(self, sha256: str, data: bytes) -> None:
        """Keep the bytes of a file. Raises DatabaseUnavailable."""
        pieces = [data[at : at + BLOCK] for at in range(0, len(data), BLOCK)]
        rows = [{"sha256": sha256, "number": number, "data": piece} for number, piece in enumerate(pieces)]
        with self._lock:
            for at in range(0, len(rows), BLOCKS_A_TRANSACTION):
                with self._database.writing() as connection:
                    if at == 0:  # what an upload that broke off has left
                        connection.execute(blob_block.delete().where(blob_block.c.sha256 == sha256))
                    connection.execute(blob_block.insert(), rows[at : at + BLOCKS_A_TRANSACTION])
        self._block.cache_clear()

    def read(self, sha256: str, offset: int, size: int) -> bytes:
        """`size` bytes from `offset` on, all of which the file must have; none when it is gone."""
        first, last = offset // BLOCK, (offset + size - 1) // BLOCK
        try:
            found = b"".join(self._block(sha256, number) for number in range(first, last + 1))
        except LookupError:
            return b""
        return found[offset - first * BLOCK :][:size]

    def pieces(self, sha256: str, size: int) -> Iterator[bytes]:
        """The whole file of `size` bytes, piece by piece."""
        for offset in range(0, size, BLOCK):
            yield self._read_block(sha256, offset // BLOCK)

    def sweep(self, farm: Farm) -> None:
        """Remove the bytes of files that the farm does not know (any more)."""
        with self._lock:
            with self._database.reading() as connection:
                stored = connection.execute(blob_block.select().with_only_columns(blob_block.c.sha256).distinct())
                # In this order: what has arrived is known to the farm before it is no longer arriving.
                gone = {row.sha256 for row in stored} - set(self._arriving) - set(list(farm["blob"]))
            for sha256 in gone:
                with self._database.writing() as connection:
                    connection.execute(blob_block.delete().where(blob_block.c.sha256 == sha256))
        if gone:
            self._block.cache_clear()

    def _read_block(self, sha256: str, number: int) -> bytes:
        wanted = (blob_block.c.sha256 == sha256) & (blob_block.c.number == number)
        with self._database.reading() as connection:
            row = connection.execute(blob_block.select().where(wanted)).one_or_none()
        if row is None:
            raise LookupError(f"block {number} of {sha256} is not there")
        return bytes(row.data)


class BlobSender(threading.Thread):
    """Answers the nodes' `blob/get`, until `stop()`."""

    def __init__(
        self, store: BlobStore, root: str, bytes_s: float, publish: Publish, under_way: Callable[[], int | None]
    ) -> None:
        """under_way: how many messages the broker has not acknowledged yet; None while there is no connection."""
        super().__init__(name="blobs", daemon=True)
        self._store = store
        self._root = root
        self._bytes_s = bytes_s
        self._publish = publish
        self._under_way = under_way
        self._waiting: OrderedDict[str, deque[SendBlob]] = OrderedDict()  # by node, who waits longest first
        self._change = threading.Condition()
        self._stopping = False
        self._free_at = 0.0

    def ask(self, asked: list[SendBlob]) -> None:
        """Blocks to send soon. Called by the line after each batch; takes no time."""
        if not asked:
            return
        with self._change:
            for one in asked:
                self._waiting.setdefault(one.node, deque(maxlen=MOST_ASKED)).append(one)
            self._change.notify()

    def stop(self) -> None:
        with self._change:
            self._stopping = True
            self._change.notify()

    def run(self) -> None:
        while (one := self._next()) is not None:
            if self._under_way() is None:
                continue  # the node asks again
            try:
                self._send(one)
            except DatabaseUnavailable as error:
                log.warning("cannot read a file for %s: %s", one.node, error.user_message)
            except Exception:  # whatever it is, the next node gets its block
                log.exception("cannot send a block to %s", one.node)

    def _next(self) -> SendBlob | None:
        with self._change:
            while not self._stopping:
                pause = self._free_at - time.monotonic()
                if self._waiting and pause <= 0 and (self._under_way() or 0) < MOST_UNDER_WAY:
                    node, asked = self._waiting.popitem(last=False)
                    one = asked.popleft()
                    if asked:
                        self._waiting[node] = asked
                    return one
                self._change.wait(max(pause, 0.02) if self._waiting else None)
        return None

    def _send(self, one: SendBlob) -> None:
        size = min(one.size, max(0, one.total - one.offset))
        data = self._store.read(one.sha256, one.offset, size) if size else b""
        total = one.total if len(data) == size else 0  # removed since it was asked for
        answer = {"sha256": one.sha256, "offset": one.offset, "total": total, "data": data if total else b""}
        topic = topics.build(fleet.BLOB_DATA, self._root, one.domain, one.node, one.device)
        payload = wire.encode(fleet.BLOB_DATA, answer, binary=True)
        self._publish(topic, payload, fleet.BLOB_DATA.qos, fleet.BLOB_DATA.retain)
        now = time.monotonic()
        self._free_at = max(self._free_at, now - BURST_S) + (len(data) + COST) / self._bytes_s
