"""The part of a sentry that runs its host's miners. Read on in miner_host.py, which is loaded when the first document
comes: a host without miners pays nothing for them.
"""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from schema.message import Invalid, Message
from schema.playbooks import PLAYBOOKS
from sentry.events import Sender
from sentry.extras import Extra, Subscribe, Wish
from sentry.mining.miner_settings import MinerSettings
from sentry.rules import Heard, Order, Wanted, bad_arguments

if TYPE_CHECKING:
    import asyncio

    from sentry.mining.miner_host import Host, Item

log = logging.getLogger(__name__)

STOP_S = 5.0
DEEDS = ("pause", "resume", "restart", "stop", "start", "maintenance-on", "maintenance-off")
MINER = Message(
    "args", "", "down", 1, False, "object",
    (
        ("name?", "id", "", "of the miner; maintenance is of the whole host"),
        ("do", "word " + " ".join(DEEDS), "", "what shall become of it"),
    ),
)  # fmt: skip
MINER_LOG = Message(
    "args", "", "down", 1, False, "object",
    (("name", "id", "", "of the miner"), ("lines?", "int 1..1000", "", "how many; 100 unless given")),
)  # fmt: skip


class Miners(Extra):
    """``home``: the sentry's folder; ``tell`` is called from a thread of its own."""

    filters = ()
    commands = {"miner": MINER, "miner-log": MINER_LOG}  # noqa: RUF012
    documents = {"playbooks": PLAYBOOKS}  # noqa: RUF012

    def __init__(self, sender: Sender, home: Path, settings: MinerSettings, tell: Callable[[Wish], None]) -> None:
        self._asks_for = sender.topic("desired", "playbooks")
        self._home, self._settings, self._tell = home, settings, tell
        self._inbox: SimpleQueue[Item] = SimpleQueue()
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._host: Host | None = None
        self._thread = threading.Thread(target=self._run, daemon=True, name="miners")

    # For the agent's thread

    def start(self) -> None:
        self._thread.start()

    def hear(self, heard: Heard) -> bool:
        return False

    def want(self, wanted: Wanted) -> None:
        self._put(wanted)

    def obey(self, order: Order) -> None:
        self._put(order)

    def on_connected(self) -> None:
        pass

    def close(self) -> None:
        self._put(None)
        self._thread.join(STOP_S)

    def _put(self, item: "Item") -> None:
        with self._lock:
            if self._loop is None or self._host is None:
                self._inbox.put(item)
            elif not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._host.take, item)

    # In the miners' thread

    def _run(self) -> None:
        first = self._wait()
        if first is None:
            return
        import asyncio

        try:
            asyncio.run(self._serve(first))
        except Exception:
            log.exception("the miners are no longer looked after; those that run go on")

    def _wait(self) -> Wanted | None:
        """The first document."""
        while True:
            try:
                item = self._inbox.get(timeout=self._settings.ask_s)
            except Empty:
                self._tell(Subscribe([self._asks_for]))
                continue
            if not isinstance(item, Order):
                return item
            self._tell(bad_arguments(item.id, Invalid("name", "this host has no document playbooks yet")))

    async def _serve(self, first: Wanted) -> None:
        import asyncio

        from sentry.mining.miner_host import Host

        host = Host(self._home, self._settings, self._asks_for, self._tell)
        host.take(first)
        with self._lock:
            self._loop, self._host = asyncio.get_running_loop(), host
            while not self._inbox.empty():
                host.take(self._inbox.get())
        await host.run()
