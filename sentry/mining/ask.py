"""Asks miners over HTTP or TCP, bounded in time and size. The only file of mining that opens connections to miners."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import httpx

from sentry.mining.figures import Figures
from sentry.mining.miners import Adapter, Ask, Http, NoAnswer, Tcp

MOST_BYTES = 4 * 1024 * 1024
ANSWER_S = 5.0
REFUSED = 400


class Asker:
    """``answer_s``: longest time for one answer, from the connection to its last byte."""

    def __init__(self, answer_s: float = ANSWER_S) -> None:
        self._answer_s = answer_s
        # Miners answer one question a connection, and some never close it; a proxy has no business between.
        limits = httpx.Limits(max_keepalive_connections=0)
        # `verify` is of https, which no miner speaks; without it 2 MB of certificates need not be read.
        self._http = httpx.AsyncClient(timeout=answer_s, limits=limits, trust_env=False, verify=False)

    async def close(self) -> None:
        await self._http.aclose()

    async def figures(
        self, adapter: Adapter, host: str, port: int = 0, token: str = "", kept: dict[int, bytes] | None = None
    ) -> Figures:
        """One look at a miner. NoAnswer when it does not answer, BadAnswer when that cannot be read. ``kept``: answers
        to what is asked seldom, by number; used, and filled where they are missing."""
        needed = len(adapter.asks) - adapter.optional
        frequent = len(adapter.asks) - adapter.seldom
        answers: list[bytes] = []
        for number, each in enumerate(adapter.asks):
            if kept is not None and number in kept:
                answers.append(kept[number])
                continue
            try:
                answers.append(await self.ask(each, host, port or adapter.port, token))
            except NoAnswer:
                if number < needed:
                    raise
                answers.append(b"")
            if kept is not None and number >= frequent:
                kept[number] = answers[-1]
        return adapter.read(answers)

    async def ask(self, ask: Ask, host: str, port: int, token: str = "") -> bytes:
        """One answer: the body over HTTP, all that came over TCP. NoAnswer."""
        place = f"{host}:{port}"
        try:
            async with asyncio.timeout(self._answer_s):
                return await (self._over_tcp(ask, host, port) if isinstance(ask, Tcp) else self._get(ask, place, token))
        except TimeoutError:
            raise NoAnswer(f"{place}: no whole answer within {self._answer_s:g} s") from None
        except (OSError, httpx.HTTPError) as error:
            raise NoAnswer(f"{place}: {error or type(error).__name__}") from None

    async def tell(self, asks: Sequence[Ask], host: str, port: int, token: str = "") -> list[bytes]:
        """The answer to each. NoAnswer."""
        return [await self.ask(each, host, port, token) for each in asks]

    async def _get(self, ask: Http, place: str, token: str) -> bytes:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if ask.body:
            headers["Content-Type"] = "application/x-www-form-urlencoded" if ask.form else "application/json"
        got = bytearray()
        content = ask.body.encode() or None
        async with self._http.stream(
            ask.method, f"http://{place}{ask.path}", content=content, headers=headers
        ) as answer:
            # Some end before the length they announced: what came may still be of use.
            with suppress(httpx.RemoteProtocolError):
                async for chunk in answer.aiter_bytes():
                    _bounded(got, chunk, place)
        if answer.status_code >= REFUSED:
            raise NoAnswer(f"{place}{ask.path}: HTTP {answer.status_code}")
        return bytes(got)

    async def _over_tcp(self, ask: Tcp, host: str, port: int) -> bytes:
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(ask.text.encode())
            await writer.drain()
            got = bytearray()
            while chunk := await reader.read(65_536):
                _bounded(got, chunk, f"{host}:{port}")
                if chunk.endswith(b"\0"):
                    break  # the end of a cgminer's answer; not all of them close
            return bytes(got)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


def _bounded(got: bytearray, chunk: bytes, place: str) -> None:
    got += chunk
    if len(got) > MOST_BYTES:
        raise NoAnswer(f"{place}: more than {MOST_BYTES} bytes")
