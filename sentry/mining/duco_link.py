"""One connection with a pool, and which pool is the next to try."""

import asyncio
import logging
from typing import Any, cast

import httpx

from sentry.mining.duco_wire import MOST_LINE, Malformed, Verdict, Version, Work, parse_reply

log = logging.getLogger(__name__)

QUIET_S = 0.2


class PoolLost(Exception):
    """The connection is over, or of no more use; the text says why."""


class PoolRefused(PoolLost):
    """The pool does not want this worker."""


class GivenUp(PoolLost):
    """The worker gave its job up, which a pool cannot be told but by leaving."""


class Pools:
    """The list of pools as a ring: whoever fails on the present one moves all on to the next."""

    def __init__(self, servers: tuple[str, ...], finder: str = "") -> None:
        self._servers, self._finder = servers, finder
        self._at = 0
        self._found = ""
        self._apart: set[str] = set()
        self._finding = asyncio.Lock()

    async def choose(self) -> str:
        """host:port of the pool to try."""
        async with self._finding:
            if self._finder and not self._found and self._at == 0:
                self._found = await _find(self._finder)
        ring = (*filter(None, [self._found]), *self._servers)
        return ring[self._at % len(ring)]

    def failed(self, place: str) -> None:
        ring = (*filter(None, [self._found]), *self._servers)
        if place == ring[self._at % len(ring)]:
            self._at = (self._at + 1) % len(ring)
            if self._at == 0:
                self._found = ""  # all have failed: ask again

    def joins(self, place: str) -> bool:
        """Whether it may get a result and a request in one write."""
        return place not in self._apart

    def keep_apart(self, place: str) -> None:
        log.info("pool %s loses a request that comes with a result; asking apart from now on", place)
        self._apart.add(place)


class PoolLink:
    """A connection whose greeting was read. Every method raises PoolLost when it is over."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._replies: asyncio.Queue[Work | Verdict] = asyncio.Queue()
        self._over = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, place: str, answer_s: float) -> "PoolLink":
        host, _, port = place.rpartition(":")
        try:
            async with asyncio.timeout(answer_s):
                reader, writer = await asyncio.open_connection(host.strip("[]"), int(port), limit=MOST_LINE)
        except TimeoutError:
            raise PoolLost(f"no connection within {answer_s:g} s") from None
        except OSError as error:
            raise PoolLost(error.strerror or str(error)) from None
        try:
            async with asyncio.timeout(answer_s):
                await _greeting(reader)
        except TimeoutError:
            writer.close()
            raise PoolLost(f"no greeting within {answer_s:g} s") from None
        except (OSError, Malformed) as error:
            writer.close()
            raise PoolLost(f"greeting: {error}") from None
        return cls(reader, writer)

    def send(self, *lines: bytes) -> None:
        """All lines in one write."""
        if not self._over.done():
            self._writer.write(b"".join(lines))

    async def reply(self, within_s: float) -> Work | Verdict:
        """The next answer; TimeoutError when none comes in time."""
        if not self._replies.empty():
            return self._replies.get_nowait()
        getting = asyncio.ensure_future(self._replies.get())
        await asyncio.wait({getting, self._over}, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        if getting.done():
            return getting.result()
        getting.cancel()
        if self._over.done():
            raise PoolLost(self._over.result())
        raise TimeoutError

    async def until(self, event: "asyncio.Future[Any]") -> Any:
        """The result of ``event``, if it comes while the connection stands."""
        await asyncio.wait({event, self._over}, return_when=asyncio.FIRST_COMPLETED)
        if event.done():
            return event.result()
        raise PoolLost(self._over.result())

    def close(self) -> None:
        self._task.cancel()
        self._writer.close()

    async def _read(self) -> None:
        why = "the pool closed the connection"
        try:
            while line := await self._reader.readline():
                try:
                    reply = parse_reply(line.decode("ascii", "replace"))
                except Malformed as error:
                    why = f"the pool closed the connection after saying {line[:60]!r}"
                    log.warning("from the pool: %s", error)
                    continue
                if not isinstance(reply, Version):
                    self._replies.put_nowait(reply)
        except (OSError, ValueError) as error:  # ValueError: a line without end
            why = f"connection lost: {error}"
        if not self._over.done():
            self._over.set_result(why)


async def _greeting(reader: asyncio.StreamReader) -> None:
    """Some pools end it with a newline, some do not."""
    said = b""
    while b"\n" not in said:
        try:
            async with asyncio.timeout(QUIET_S if said else None):
                chunk = await reader.read(MOST_LINE)
        except TimeoutError:
            break
        if not chunk:
            raise Malformed("the pool closed the connection")
        said += chunk
    first = said.partition(b"\n")[0].decode("ascii", "replace")
    if not isinstance(parse_reply(first), Version):
        raise Malformed(f"{first[:40]!r} is no version")


async def _find(url: str) -> str:
    """host:port that the finder names, or "" with a line in the log."""
    try:
        async with httpx.AsyncClient(timeout=10) as client:
            answer = await client.get(url)
        found = cast(dict[str, Any], answer.raise_for_status().json())
        return f"{found['ip']}:{int(found['port'])}"
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        log.warning("%s names no pool: %s", url, error)
        return ""
