"""Watches many ASICs over the network: they are the devices `asic-<name>` of this sentry.

One asyncio thread asks them all; the agent's thread only hands over what came and takes what is said.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from schema.asics import ASIC_CHECK, ASIC_CONTROL, ASIC_SCAN, ASICS, check_names
from schema.fleet import INFO, LOG
from schema.message import Invalid
from schema.wire import encode
from sentry.birth import now_ms
from sentry.events import Event, Sender
from sentry.extras import Extra, Publish, Report, Wish
from sentry.measure import Measured
from sentry.mining.asic_control import Controller, Refused
from sentry.mining.asic_look import Looker, described
from sentry.mining.asic_scan import Scan, addresses
from sentry.mining.asic_settings import AsicSettings
from sentry.mining.asic_watch import Watched
from sentry.mining.miners import BadAnswer, NoAnswer
from sentry.mining.watchdog import check_watch
from sentry.reading import Reading
from sentry.rules import Heard, Order, Say, Wanted, ack, bad_arguments

log = logging.getLogger(__name__)

STOP_S = 5.0
FLUSH_S = 0.5
LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class AsicSentry(Extra):
    """``tell`` may be called from any thread; ``boot`` and ``kind`` are the sentry's."""

    filters = ()
    documents = {"asics": ASICS}  # noqa: RUF012
    commands = {"asic-check": ASIC_CHECK, "asic-scan": ASIC_SCAN, "asic-control": ASIC_CONTROL}  # noqa: RUF012

    def __init__(
        self, sender: Sender, boot: str, kind: str, settings: AsicSettings, tell: Callable[[Wish], None]
    ) -> None:
        self._tell = tell
        self._sender, self._boot, self._kind, self._settings = sender, boot, kind, settings
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True, name="asics")
        self._watched: dict[str, Watched] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._jobs: set[asyncio.Task[None]] = set()
        self._readings: list[Reading] = []
        self._wanted: Wanted | None = None
        self._reported: dict[str, Any] | None = None
        self._scanning = False

    # For the agent's thread

    def start(self) -> None:
        self._thread.start()

    def hear(self, heard: Heard) -> bool:
        return False

    def obey(self, order: Order) -> None:
        self._loop.call_soon_threadsafe(self._begin, self._on_order(order))

    def want(self, wanted: Wanted) -> None:
        self._loop.call_soon_threadsafe(self._on_wanted, wanted)

    def on_connected(self) -> None:
        self._loop.call_soon_threadsafe(self._announce_all)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_S)

    # In the thread of its own

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._looker, self._gate = Looker(self._settings.answer_s), asyncio.Semaphore(self._settings.at_once)
        self._controller = Controller(self._looker)
        self._begin(self._flush())
        self._begin(self._report())
        self._loop.run_forever()
        for each in self._watched.values():
            self._state(each, b"disconnected")
        tasks = [*self._tasks.values(), *self._jobs]
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._jobs.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._jobs.discard(task)
        if not task.cancelled() and task.exception():
            log.error("not done", exc_info=task.exception())

    async def _flush(self) -> None:
        """Figures go to the agent in bundles: each one wakes it."""
        while True:
            await asyncio.sleep(FLUSH_S)
            if self._readings:
                found, self._readings = self._readings, []
                self._tell(Measured(found))

    # The document

    def _on_wanted(self, wanted: Wanted) -> None:
        records: list[dict[str, Any]] = wanted.data["asics"]
        try:
            check_names(records)
            for rule in (rule for record in records for rule in record.get("watchdog", ())):
                check_watch(rule)
        except Invalid as error:
            self._tell(Report(wanted.name, wanted.rev, "failed", str(error), self._data()))
            return
        self._wanted, self._reported = wanted, None
        new = {record["name"]: record for record in records}
        for name in [name for name, each in self._watched.items() if each.record != new.get(name)]:
            self._drop(name, name in new)
        added = [record for name, record in new.items() if name not in self._watched]
        for number, record in enumerate(added):
            watched = Watched(record, self._settings, self._looker, self, self._deed)
            self._watched[watched.name] = watched
            spread = min(float(record.get("poll_s", self._settings.poll_s)), self._settings.poll_s)
            work = watched.run(spread * number / len(added), self._gate)
            self._tasks[watched.name] = self._loop.create_task(work)

    def _drop(self, name: str, changed: bool) -> None:
        self._tasks.pop(name).cancel()
        watched = self._watched.pop(name)
        watched.forget()
        if not changed:
            self._state(watched, b"disconnected")

    def _data(self) -> dict[str, Any]:
        return {"asics": {name: each.said() for name, each in self._watched.items()}}

    async def _report(self) -> None:
        """Once all have been looked at, and when something has changed; seldom, because it is kept on disk."""
        while True:
            if self._wanted and all(each.look for each in self._watched.values()):
                data = self._data()
                if data != self._reported:
                    self._reported = data
                    self._tell(Report(self._wanted.name, self._wanted.rev, "applied", data=data))
                    await self._pause(self._settings.report_s)
            await asyncio.sleep(0.1)

    async def _pause(self, seconds: float) -> None:
        """A new document ends it."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end and self._reported is not None:
            await asyncio.sleep(0.1)

    # Commands

    async def _on_order(self, order: Order) -> None:
        try:
            match order.name:
                case "asic-check":
                    result: Any = await self._check(order.args)
                case "asic-scan":
                    result = await self._scan(order)
                case _:
                    result = await self._control(order.args)
        except Invalid as error:
            self._tell(bad_arguments(order.id, error))
        except Refused as error:
            self._tell(ack(order.id, "refused", error.code, {"problem": str(error)}))
        except (NoAnswer, BadAnswer) as error:
            code = "no-answer" if isinstance(error, NoAnswer) else "bad-answer"
            self._tell(ack(order.id, "failed", code, {"problem": str(error)[:1000]}))
        else:
            self._tell(ack(order.id, "done", result=result))

    async def _check(self, args: dict[str, Any]) -> dict[str, Any]:
        kind, host, port = args["type"], args["host"], args.get("port", 0)
        if kind == "auto":
            kind, figures = await self._looker.find(host, port)
        else:
            figures = await self._looker.look(kind, host, port)
        if figures.hashrate is None:
            raise BadAnswer("hashrate", "it answers, but tells none")
        return described(kind, host, port, figures)

    async def _scan(self, order: Order) -> dict[str, Any]:
        hosts = addresses(order.args["range"], order.args.get("force", False))
        if self._scanning:
            raise Refused("busy", "another scan is under way")
        looker = Looker(self._settings.scan_answer_s)
        self._scanning = True

        def tell(pct: int, found: int) -> None:
            self._tell(
                Say("ack", order.id, {"id": order.id, "status": "progress", "pct": pct, "result": {"found": found}})
            )

        try:
            return await Scan(looker, self._settings, tell).run(hosts, order.args.get("ports", ()))
        finally:
            self._scanning = False

    async def _control(self, args: dict[str, Any]) -> dict[str, Any]:
        watched = self._watched.get(args["name"])
        if watched is None:
            raise Refused("unknown-asic", f"there is no ASIC {args['name']} in the document")
        figures = watched.look.figures if watched.look else None
        answers = await self._controller.do(watched.record, args["do"], args.get("value"), figures)
        value = f" {args['value']:g} W" if "value" in args else ""
        self.note(watched.device, "warning", f"{watched.device}: told to {args['do']}{value} by the commander")
        fields = {"what": "control", "text": f"{args['do']}{value}"}
        self._tell(Event("evt", "asic", now_ms(), fields, watched.device))
        watched.soon.set()
        return {"answers": answers}

    async def _deed(self, watched: Watched, deeds: tuple[str, ...]) -> str:
        figures = watched.look.figures if watched.look else None
        return await self._controller.first_of(watched.record, deeds, figures)

    # What an ASIC says

    def tell(self, wish: Wish) -> None:
        self._tell(wish)

    def measured(self, found: list[Reading]) -> None:
        self._readings += found

    def note(self, device: str, level: str, text: str) -> None:
        """A line of the log of the ASIC: to the farm whatever its level, and into the sentry's own."""
        payload = encode(LOG, {"ts": now_ms(), "level": level, "text": text[:1024]})
        self._tell(Publish(self._sender.topic("log", device=device), payload, LOG.qos, LOG.retain))
        log.log(min(LEVELS[level], logging.INFO), "%s", text)

    def announce(self, watched: Watched) -> None:
        look = watched.look
        if look is None:
            return
        self._state(watched, b"ready" if look.figures else b"lost")
        if look.figures is None:
            return
        info: dict[str, Any] = {
            "schema": 1,
            "boot": self._boot,
            "kind": self._kind,
            "software": (str(look.figures.extra.get("firmware") or "") or look.figures.software)[:128],
            "hardware": str(look.figures.extra.get("model") or watched.record["type"])[:128],
            "alive_ms": int(3000 * float(watched.record.get("poll_s", self._settings.poll_s))),
            "parts": {},
        }
        topic = self._sender.topic("info", device=watched.device)
        self._tell(Publish(topic, encode(INFO, info), INFO.qos, INFO.retain))

    def _announce_all(self) -> None:
        for watched in self._watched.values():
            self.announce(watched)

    def _state(self, watched: Watched, word: bytes) -> None:
        self._tell(Publish(self._sender.topic("state", device=watched.device), word, 1, True))
