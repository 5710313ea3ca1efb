"""The part of a sentry that drives FPGA boards: they are the sentry's devices, by serial.

One asyncio thread has all of them; the agent's thread only hands over what came and takes what is said.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from schema.boards import BOARD, BOARD_CALL, LEASES
from schema.message import Invalid
from sentry.boards.blobs import Blobs
from sentry.boards.faults import BoardFailed, Refused
from sentry.boards.manager import Manager
from sentry.boards.offers import not_offered
from sentry.boards.settings import BoardSettings
from sentry.boards.states import load_kinds
from sentry.boards.usb import source
from sentry.boards.voice import Voice
from sentry.events import Sender
from sentry.extras import Extra, Report, Wish
from sentry.rules import Heard, Order, Wanted, ack

log = logging.getLogger(__name__)

STOP_S = 10.0


class Boards(Extra):
    """``home``: the sentry's folder; ``tell`` may be called from any thread."""

    documents = {"leases": LEASES}  # noqa: RUF012
    commands = {"board": BOARD, "board-call": BOARD_CALL}  # noqa: RUF012

    def __init__(self, sender: Sender, home: Path, settings: BoardSettings, tell: Callable[[Wish], None]) -> None:
        load_kinds()
        for why in not_offered(settings):
            log.info("%s", why)
        self._tell, self._settings = tell, settings
        self._source = source(settings.usb, settings.look_s)
        self._blobs = Blobs(home / "boards", sender, settings, tell)
        self._manager = Manager(settings, Voice(tell), self._blobs)
        self.filters = (self._blobs.topic,)
        self._document = 0, "applied", ""  # none has come yet
        self._loop = asyncio.new_event_loop()
        self._jobs: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, daemon=True, name="boards")

    # For the agent's thread

    def start(self) -> None:
        self._thread.start()

    def hear(self, heard: Heard) -> bool:
        if heard.topic != self._blobs.topic:
            return False
        self._loop.call_soon_threadsafe(self._blobs.on_data, heard.payload)
        return True

    def obey(self, order: Order) -> None:
        self._loop.call_soon_threadsafe(self._begin, self._on_order(order))

    def want(self, wanted: Wanted) -> None:
        self._loop.call_soon_threadsafe(self._on_wanted, wanted)

    def on_connected(self) -> None:
        self._loop.call_soon_threadsafe(self._blobs.on_connected)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_S)

    # In the thread of its own

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._begin(self._manager.watch(self._source))
        self._begin(self._report())
        self._loop.run_forever()
        for task in self._jobs:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._jobs, self._manager.close(), return_exceptions=True))
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._jobs.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._jobs.discard(task)
        if not task.cancelled() and task.exception():
            log.error("not done", exc_info=task.exception())

    def _on_wanted(self, wanted: Wanted) -> None:
        try:
            self._manager.lease(wanted.data)
        except Invalid as error:
            self._document = wanted.rev, "failed", str(error)
        else:
            self._document = wanted.rev, "applied", ""
        self._manager.changed.set()

    async def _report(self) -> None:
        """When something has changed, and seldom enough: it is kept on disk."""
        told: Report | None = None
        while True:
            await self._manager.changed.wait()
            self._manager.changed.clear()
            now = Report("leases", *self._document, data=self._manager.report())
            if now != told:
                told = now
                self._tell(now)
                await asyncio.sleep(self._settings.report_s)

    async def _on_order(self, order: Order) -> None:
        try:
            if order.name == "board":
                result = await self._manager.tell(**order.args)
            else:
                result = await self._manager.call(order.args)
        except Refused as error:
            self._tell(ack(order.id, "refused", error.code, {"problem": error.problem}))
        except BoardFailed as error:
            self._tell(ack(order.id, "failed", "board", {"problem": str(error)}))
        except Exception as error:
            log.exception("the command %s failed", order.name)
            self._tell(ack(order.id, "failed", "fault", {"problem": f"{type(error).__name__}: {error}"[:512]}))
        else:
            self._tell(ack(order.id, "done", result=result))
