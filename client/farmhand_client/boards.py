"""Clients for asyncio."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import suppress
from typing import Any, ClassVar

from farmhand_client.api import Api
from farmhand_client.available import Available
from farmhand_client.console import ConsoleLine, console
from farmhand_client.errors import FarmError
from farmhand_client.evaluation import (
    Evaluation,
    FilePath,
    PulseCountEvaluation,
    Result,
    VarianceEvaluation,
    listed,
)
from farmhand_client.events import AbstractEventHandler, EventServer
from farmhand_client.files import bitstream
from farmhand_client.leases import Leases, Row
from farmhand_client.progress import Bar
from farmhand_client.run import Run

RESULT_S = 30.0
NO_EFFECT = ("flush_interval_seconds", "flush_at_bitstreams_remaining")
SELECTORS = ("type", "tags", "health", "firmware", "node", "domain")


class AsyncBoardClient:
    """Boards of one kind of state. Make it, and use it, in one event loop. ``name``: unique among the programs that
    use the same key; ``key``: FARMHAND_KEY of the environment unless given. What only iCEFARM's client knows
    (``batch_size``, ``target_batches``; ``flush_...`` of a reservation) is taken and has no effect."""

    kind: ClassVar[str] = ""
    evaluation: ClassVar[type[Evaluation]] = Evaluation

    def __init__(
        self,
        url: str,
        name: str,
        logger: logging.Logger | None = None,
        log_events: bool = False,
        *,
        key: str | None = None,
    ) -> None:
        self.name = name
        self.logger = logger or logging.getLogger("farmhand_client")
        self.server = EventServer(self.logger)
        self.api = Api(url, key)
        self.leases = Leases(self.api, name, self.server, self.logger)
        self.free = Available(self.api, self.server)
        if log_events:
            self.log_events()

    async def __aenter__(self) -> "AsyncBoardClient":
        self.free.begin()
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self.end_all()
        finally:
            await self.close()

    async def available(self, kind: str | None = None) -> int:
        """How many boards would be given out at once."""
        return (await self.api.get("/boards/available", kind=kind or self.kind or None))["count"]

    async def available_devices(self, kind: str | None = None) -> list[str]:
        return (await self.api.get("/boards/available", kind=kind or self.kind or None))["serials"]

    async def reserve(
        self,
        amount: int,
        wait_for_available: bool = False,
        available_timeout: float | None = 60,
        kind: str | None = None,
        args: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> list[str]:
        """Serials, once the boards can be used. ``wait_for_available``: queue for them, at most ``available_timeout`` s
        (None: for ever). More: type, tags, health, firmware, node, domain; length_s, idle_s, priority; together:
        wishes that are met with this one (dicts of count or serials, kind, args, selector). FarmError says why not."""
        wish = self._wish(kind, args, more) | {"count": amount}
        self.free.begin()
        return await self.leases.reserve(wish, available_timeout if wait_for_available else 0)

    async def reserve_specific(
        self,
        serials: Iterable[str],
        wait_for_available: bool = False,
        available_timeout: float | None = 60,
        kind: str | None = None,
        args: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> list[str]:
        """The same for just these boards."""
        wish = self._wish(kind, args, more) | {"serials": listed(serials)}
        if not wish["serials"]:  # to the farm that would be any board
            raise FarmError("serials", "must name a board")
        self.free.begin()
        return await self.leases.reserve(wish, available_timeout if wait_for_available else 0)

    async def adopt(self) -> list[str]:
        """Have the boards that another program with this client's key and name reserved and did not give back; their
        serials. They are this client's then, like those that it reserved."""
        return await self.leases.adopt()

    def get_serials(self) -> list[str]:
        """The boards that this client has."""
        return list(self.leases.boards)

    async def extend(self, serials: Iterable[str]) -> list[str]:
        """Have the reservations of these boards last their length from now. It happens by itself when they are about
        to end, unless `leases.extending` is false."""
        return await self.leases.change("extend", serials)

    async def extend_all(self) -> list[str]:
        return await self.leases.change("extend")

    async def end(self, serials: Iterable[str]) -> list[str]:
        """Give these boards back."""
        return await self.leases.change("end", serials)

    async def end_all(self) -> list[str]:
        """Give back all boards that were reserved with this client's key and name, by whichever program."""
        return await self.leases.change("end")

    async def reboot(self, serials: Iterable[str], timeout: float = 60) -> list[str]:
        """Start boards anew; the ones that were not ready again in time."""
        wanted = {serial for mine in self.leases.parts(serials).values() for serial in mine}
        waiting = asyncio.ensure_future(self.leases.until_initialized(wanted, timeout))
        for serial in wanted:
            await self.api.post(f"/boards/{serial}/do", {"do": "reboot"})
        return sorted(await waiting)

    async def call(
        self,
        method: str,
        args: Mapping[str, Any] | None = None,
        files: Mapping[str, FilePath | bytes] | None = None,
        serials: Iterable[str] | None = None,
    ) -> dict[str, Any]:
        """Call a method of the boards' state: serial -> what it returned. FarmError when one of them refused."""
        given: list[dict[str, str]] = []
        for name, file in (files or {}).items():
            content = file if isinstance(file, bytes) else await asyncio.to_thread(bitstream, file)
            given.append({"name": name, "sha256": (await self.api.upload("/boards/files", content))["sha256"]})
        answers: dict[str, Any] = {}
        for lease, mine in self.leases.parts(self.get_serials() if serials is None else serials).items():
            wish = {"method": method, "args": dict(args or {}), "files": given, "serials": mine}
            answer = await self.api.post(f"/boards/leases/{lease}/call", wish, again=False)
            if answer["problems"]:
                raise FarmError("call", "; ".join(f"{serial}: {why}" for serial, why in answer["problems"].items()))
            answers |= answer["answers"]
        return answers

    async def evaluate_bitstreams(
        self,
        bitstreams: Iterable[FilePath],
        serials: Iterable[str] | None = None,
        spread: bool = False,
        result_timeout: float = RESULT_S,
        progress: bool | None = None,
        batch: str | None = None,
        batch_size: int = 5,
        target_batches: int = 2,
    ) -> AsyncGenerator[Result, None]:
        """(serial, path, value) of each bitstream on each of the boards (all unless given), as they come. ``spread``:
        each bitstream on any one of them. ``progress``: a bar; None: when there is a terminal. ``batch``: a name, with
        which the same call goes on later where it was when it ended."""
        mine = self.get_serials() if serials is None else listed(serials)
        if not mine:
            why = "none is reserved by this client: reserve some first" if serials is None else "must name a board"
            raise FarmError("serials", why)
        evaluations = [self.evaluation(mine, path) for path in listed(bitstreams)]
        async for each in self._evaluated(evaluations, spread, result_timeout, progress, batch):
            yield Result(each.serial, each.evaluation.filepath, each.value, each.gate_ms, each.took_ms)

    async def evaluate_evaluations(
        self,
        evaluations: Iterable[Evaluation],
        result_timeout: float = RESULT_S,
        batch_size: int = 5,
        target_batches: int = 2,
        progress: bool | None = None,
        batch: str | None = None,
    ) -> AsyncGenerator[Result, None]:
        """(serial, evaluation, value) of each evaluation on each of its boards, as they come."""
        async for result in self._evaluated(evaluations, False, result_timeout, progress, batch):
            yield result

    async def console(self, serial: str, after: int = 0) -> list[ConsoleLine]:
        """What the board said, what it was sent, and what happened to it: (n, ts, source, text) of the lines behind the
        number ``after``, the oldest first. FarmError when somebody else has it, or its sentry does not answer."""
        return await console(self.api, serial, after)

    async def results(self, batch: str | None = None, limit: int = 1_000, **where: Any) -> list[Row]:
        """What the farm kept, the newest first, also of earlier programs: `serial`, `evaluation`, `value` or `problem`,
        `batch`, `ts`, `gate_ms`, `took_ms`. where: lease, user, serial, since, until (ms since 1970)."""
        return (await self.api.get("/boards/results", batch=batch, limit=limit, **where))["items"]

    def add_event_handler(self, handler: AbstractEventHandler) -> None:
        self.server.add_event_handler(handler)
        with suppress(RuntimeError):  # no event loop yet: it begins with the first reservation
            self.free.begin()

    def log_events(self) -> None:
        """All of them, with the client's logger."""
        self.add_event_handler(_Logging(self.server))

    async def close(self) -> None:
        """Let go of the connection; the reservations stay."""
        await self.free.close()
        await self.leases.close()
        await self.api.close()
        self.server.exit()

    async def _evaluated(
        self,
        evaluations: Iterable[Evaluation],
        spread: bool,
        result_timeout: float,
        progress: bool | None,
        batch: str | None,
    ) -> AsyncGenerator[Result, None]:
        run = Run(self.api, self.leases, evaluations, result_timeout, self.logger, spread, batch)
        self.logger.info("batch %s: %d evaluations", run.batch, run.total)
        results = run.results()
        with Bar(run.total, progress) as bar:
            try:
                async for result in results:
                    bar.advance()
                    yield result
            finally:
                await results.aclose()

    def _wish(self, kind: str | None, args: Mapping[str, Any] | None, more: dict[str, Any]) -> Row:
        kind = kind or self.kind
        if not kind:
            raise FarmError("kind", "must be given: what the boards shall be")
        more = {name: value for name, value in more.items() if name not in NO_EFFECT}
        selector = {name: more.pop(name) for name in SELECTORS if name in more}
        if "together" in more:
            more["together"] = [{"kind": kind, **part} for part in more["together"]]
        return {"kind": kind, "args": dict(args or {}), "selector": selector, **more}

    getSerials = get_serials
    availableDevices = available_devices
    reserveSpecific = reserve_specific
    extendAll = extend_all
    endAll = end_all
    evaluateBitstreams = evaluate_bitstreams
    evaluateEvaluations = evaluate_evaluations
    addEventHandler = add_event_handler


class AsyncPulseCountClient(AsyncBoardClient):
    """Boards that count the pulses of a circuit in a second."""

    kind = "pulsecount"
    evaluation = PulseCountEvaluation


class AsyncVarianceClient(AsyncBoardClient):
    """Boards that measure how much a circuit's voltage changes."""

    kind = "variance"
    evaluation = VarianceEvaluation


class _Logging(AbstractEventHandler):
    def handle_event(self, event: Any) -> list[Any]:
        self.event_server.logger.info("%s %s: %s", event.serial, event.event, event.contents)
        return []
