"""Asks miners over HTTP or TCP, bounded in time and size. The only file of mining that opens connections to miners."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import h11

from sentry.mining.figures import Figures
from sentry.mining.miners import Adapter, Ask, Http, NoAnswer, Tcp

MOST_BYTES = 4 * 1024 * 1024
ANSWER_S = 5.0
REFUSED = 400


class Asker:
    """``answer_s``: longest time for one answer, from the connection to its last byte."""

    def __init__(self, answer_s: float = ANSWER_S) -> None:
        self._answer_s = answer_s

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
                reader, writer = await asyncio.open_connection(host, port)
                try:
                    if isinstance(ask, Tcp):
                        return await _over_tcp(ask, place, reader, writer)
                    return await _over_http(ask, place, reader, writer, token)
                finally:
                    writer.close()
                    with suppress(OSError):
                        await writer.wait_closed()
        except TimeoutError:
            raise NoAnswer(f"{place}: no whole answer within {self._answer_s:g} s") from None
        except OSError as error:
            raise NoAnswer(f"{place}: {error or type(error).__name__}") from None

    async def tell(self, asks: Sequence[Ask], host: str, port: int, token: str = "") -> list[bytes]:
        """The answer to each. NoAnswer."""
        return [await self.ask(each, host, port, token) for each in asks]


# Each question has a connection of its own: that is how miners want it. h11 without a client around it takes a fifth of
# the time, which counts with hundreds of ASICs.
async def _over_http(
    ask: Http, place: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str
) -> bytes:
    http = h11.Connection(h11.CLIENT)
    headers = {"Host": place, "Accept": "*/*", "User-Agent": "farmhand", "Connection": "close"}
    body = ask.body.encode()
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if body:
        headers["Content-Type"] = "application/x-www-form-urlencoded" if ask.form else "application/json"
        headers["Content-Length"] = str(len(body))
    events = [h11.Request(method=ask.method, target=ask.path, headers=list(headers.items())), h11.Data(data=body)]
    for event in (*events[: 1 + bool(body)], h11.EndOfMessage()):
        writer.write(http.send(event) or b"")
    await writer.drain()
    status, got = 0, bytearray()
    try:
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                http.receive_data(await reader.read(65_536))
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                _bounded(got, bytes(event.data), place)
            elif not isinstance(event, h11.InformationalResponse):
                break
    except h11.RemoteProtocolError as error:
        # Some end before the length they announced: what came may still be of use.
        if not status:
            raise NoAnswer(f"{place}: {error}") from None
    if not 0 < status < REFUSED:
        raise NoAnswer(f"{place}{ask.path}: HTTP {status}")
    return bytes(got)


async def _over_tcp(ask: Tcp, place: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.write(ask.text.encode())
    await writer.drain()
    got = bytearray()
    while chunk := await reader.read(65_536):
        _bounded(got, chunk, place)
        if chunk.endswith(b"\0"):
            break  # the end of a cgminer's answer; not all of them close
    return bytes(got)


def _bounded(got: bytearray, chunk: bytes, place: str) -> None:
    got += chunk
    if len(got) > MOST_BYTES:
        raise NoAnswer(f"{place}: more than {MOST_BYTES} bytes")
