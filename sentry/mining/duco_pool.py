"""The pool gateway: jobs of Duino-Coin pools to workers, and their shares back, on the sentry's MQTT connection.

A worker is a device `avr-...` of a node named in the settings; it is known by its retained `state` and `info`. The
gateway may live in the workers' domain or at home, and needs a grant there (`farmhand node grants --pool-gateway-of`).
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from hashlib import sha1
from typing import Any

from schema import topics
from schema.fleet import INFO, STATE
from schema.message import Invalid, Message
from schema.mining import JOB_OFFER, JOB_SHARE
from schema.wire import decode, encode
from sentry.events import Sender
from sentry.extras import Alarm, Extra, Publish, Subscribe, Wish
from sentry.measure import Measured
from sentry.mining.duco_ledger import UNKNOWN, Share
from sentry.mining.duco_link import Pools
from sentry.mining.duco_report import reading, total
from sentry.mining.duco_wire import is_chip
from sentry.mining.duco_worker import Worker
from sentry.mining.settings import PoolSettings
from sentry.rules import Heard

log = logging.getLogger(__name__)

DEVICES = "avr-"
MOST_WORKERS = 1000
LOOK_S = 1.0
ASK_AGAIN_S = 20.0
STOP_S = 5.0
TAKEN: dict[str, Message] = {message.key: message for message in (STATE, INFO, JOB_SHARE)}

Place = tuple[str, str, str]  # domain, node, device


class Gateway(Extra):
    """``tell`` is called from the gateway's thread."""

    def __init__(self, sender: Sender, settings: PoolSettings, tell: Callable[[Wish], None]) -> None:
        self._root, self._settings, self._tell = sender.root, settings, tell
        pairs = [each.split("/") if "/" in each else [sender.domain, each] for each in settings.nodes]
        self._nodes = {(domain, node): "" for domain, node in pairs}  # -> the node's own state, "" before it is heard
        self.filters = [
            topics.build(message, self._root, domain, node, "x").replace("/x/", "/+/")
            for domain, node in self._nodes
            for message in TAKEN.values()
        ]
        # Ids of jobs tell whose they are, also after a restart: only their gateway may call one lost.
        self._family = sha1(f"{sender.domain}/{sender.node}".encode(), usedforsecurity=False).hexdigest()[:6]
        self._workers: dict[Place, Worker] = {}
        self._states: dict[Place, str] = {}
        self._silent = set(self._nodes)
        self._limits: dict[Place, dict[str, Any]] = {}
        self._pools = Pools(settings.servers, settings.finder)
        self._alarm: str | None = None  # the text told last; None: nothing was told since the start
        self._loop = asyncio.new_event_loop()
        self._main: asyncio.Task[None] | None = None
        self._group: asyncio.TaskGroup | None = None
        self._thread = threading.Thread(target=self._run, daemon=True, name="pool-gateway")

    # For the agent's thread

    def start(self) -> None:
        self._thread.start()

    def hear(self, heard: Heard) -> bool:
        try:
            at = topics.parse(heard.topic, self._root)
        except Invalid:
            return False
        if (at.domain, at.node) not in self._nodes or at.key not in TAKEN:
            return False
        if self._loop.is_closed():
            return True
        self._loop.call_soon_threadsafe(self._on_message, at, heard)
        return True

    def on_connected(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._on_connected)

    def close(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(lambda: self._main and self._main.cancel())
        self._thread.join(STOP_S)

    # In the gateway's thread

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner, suppress(asyncio.CancelledError):
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._main = asyncio.current_task()
        ask_at = time.monotonic() + LOOK_S
        report_at = ask_at + self._settings.report_s  # the first connection waits for the host's own figures
        async with asyncio.TaskGroup() as self._group:
            while True:
                await asyncio.sleep(LOOK_S)
                now = time.monotonic()
                self._look()
                if now >= report_at:
                    report_at = now + self._settings.report_s
                    self._tell(Measured(self._readings()))
                is_time = now >= ask_at
                if is_time:
                    ask_at = now + ASK_AGAIN_S
                self._ask_again(is_time)

    def _on_message(self, at: topics.Address, heard: Heard) -> None:
        place = (at.domain, at.node, at.device)
        try:
            data: Any = decode(TAKEN[at.key], heard.payload) if heard.payload else ""
        except Invalid as error:
            log.warning("refused from %s: %s", heard.topic, error)
            return
        match at.key:
            case "state" if at.device == "self":
                self._nodes[at.domain, at.node] = data
                for each, worker in self._workers.items():
                    if each[:2] == place[:2]:
                        self._judge_presence(each, worker)
            case "state" if at.device.startswith(DEVICES):
                self._on_state(place, data)
            case "info" if data:
                self._limits[place] = data.get("limits", {})
            case "job/share" if data:
                self._on_share(place, data)
            case _:
                pass

    def _on_state(self, place: Place, word: str) -> None:
        self._states[place] = word
        worker = self._workers.get(place)
        if worker is None:
            if word != "ready" or len(self._workers) >= MOST_WORKERS or self._group is None:
                return
            offer = partial(self._offer, place)
            worker = Worker(f"{place[1]} {place[2]}", self._family, self._settings, self._pools, offer)
            self._workers[place] = worker
            self._group.create_task(_for_ever(worker))
        self._judge_presence(place, worker)

    def _judge_presence(self, place: Place, worker: Worker) -> None:
        """A worker is there when it says so, unless its node is known to be away."""
        node = self._nodes[place[:2]]
        limit = self._limits.get(place, {}).get("difficulty")
        if isinstance(limit, int) and limit > 0:
            worker.difficulty_most = min(limit, self._settings.difficulty_most)
        if self._states[place] == "ready" and node not in ("lost", "disconnected", "sleeping"):
            worker.present.set()
            worker.tell_again()  # it may have forgotten all, or missed what was sent
        else:
            worker.present.clear()

    def _on_share(self, place: Place, data: dict[str, Any]) -> None:
        if not data["id"].startswith(f"{self._family}-"):
            log.info("a share from %s for a job of another gateway", "/".join(place))
            return
        worker = self._workers.get(place)
        if worker is None:  # of a job from before a restart, and heard before the device's state
            self._offer(place, {"verdict": {"id": data["id"], "word": "LOST", "why": UNKNOWN}})
            return
        chip = data.get("chip", "")
        hashrate: float = data["hashrate"]
        if hashrate <= 0:  # a nonce so small that the worker saw no time pass
            hashrate = data["nonce"] * 1e6 / max(1, data["elapsed_us"])
        worker.on_share(Share(data["id"], data["nonce"], hashrate, chip if is_chip(chip) else ""))

    def _on_connected(self) -> None:
        for worker in self._workers.values():
            worker.tell_again()

    def _offer(self, place: Place, data: dict[str, Any]) -> None:
        topic = topics.build(JOB_OFFER, self._root, *place)
        self._tell(Publish(topic, encode(JOB_OFFER, data), JOB_OFFER.qos, JOB_OFFER.retain))

    def _look(self) -> None:
        """One alert for all trouble with pools."""
        text = next((each.trouble for each in self._workers.values() if each.trouble), "")
        if text != self._alarm:
            self._alarm = text
            self._tell(Alarm("pool", text))

    def _ask_again(self, also_the_silent: bool) -> None:
        """A right that is granted later brings nothing retained by itself. A node that has been heard may have devices
        that spoke before that: it is asked for once more, and no longer silent."""
        heard = {(domain, node) for domain, node, _ in self._states} & self._silent
        asked = self._silent if also_the_silent else heard
        if asked:
            self._tell(Subscribe([each for each in self.filters if tuple(each.split("/")[1:3]) in asked]))
        self._silent = self._silent - heard

    def _readings(self) -> list[Any]:
        each = [reading(f"{place[1]}_{place[2]}"[:63], worker) for place, worker in self._workers.items()]
        return [*each, total(list(self._workers.values()))]


async def _for_ever(worker: Worker) -> None:
    """A fault of this program with one worker must not stop the others."""
    while True:
        try:
            await worker.run()
        except Exception:
            log.exception("%s: starting anew", worker.name)
            await asyncio.sleep(ASK_AGAIN_S)
