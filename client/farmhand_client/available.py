"""Boards that have become free: nobody's, so that no reservation tells of them."""

import asyncio

from farmhand_client.api import Api
from farmhand_client.errors import FarmError
from farmhand_client.events import Event, EventServer

LOOK_S = 1.0
MOST = 1_000  # rows of one answer
EVENT = "available"


class Available:
    """Looks for them once a handler wants to know."""

    def __init__(self, api: Api, server: EventServer) -> None:
        self.server = server
        self._api = api
        self._task: asyncio.Task[None] | None = None
        self._begun = asyncio.Event()

    def begin(self) -> None:
        """In the client's event loop."""
        wanted = any(handler.hears(EVENT) for handler in self.server.handlers)
        if wanted and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._watch())

    async def begun(self) -> None:
        """What comes from now on is told of."""
        self.begin()
        if self._task:
            await self._begun.wait()

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        seen: int | None = None
        while True:
            try:
                seen = await self._newest() if seen is None else await self._look(seen)
            except FarmError as error:
                self.server.logger.warning("%s", error)
            except Exception:
                self.server.logger.exception("what the farm told of free boards was not understood")
            self._begun.set()
            await asyncio.sleep(LOOK_S)

    async def _newest(self) -> int:
        rows = (await self._api.get("/boards/history", limit=1))["items"]
        return rows[0]["id"] if rows else 0

    async def _look(self, seen: int) -> int:
        rows = (await self._api.get("/boards/history", what=EVENT, after=seen, limit=MOST))["items"]
        if not rows:
            return seen
        amount = (await self._api.get("/boards/available"))["count"]
        for row in rows:
            serial = row["serial"]
            await self.server.handle_event(Event(serial, EVENT, {"serial": serial, "amount": amount}))
        return rows[-1]["id"]
