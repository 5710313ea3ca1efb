"""The reservations of a client: made, waited for, watched, extended, given back."""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from farmhand_client.api import Api
from farmhand_client.errors import FarmError, NoAnswer
from farmhand_client.evaluation import listed
from farmhand_client.events import Event, EventServer

Row = dict[str, Any]
T = TypeVar("T")

READY_S, QUEUE_S, ASKED_S = 120.0, 0.5, 10.0
LOOK_S, REST_S, IDLE_S = 0.04, 0.4, 2.0
"""Between two looks: after news, after ever longer silence, while nothing is evaluated."""
MOST = 1_000  # rows of one answer
KEPT = ("history", "results")
TOLD = ("serial", "batch", "evaluation", "value", "problem", "gate_ms", "took_ms")  # of a result
WISH = ("kind", "args", "count", "serials", "selector", "priority", "length_s", "idle_s")
EXTEND_AGAIN_S = 5.0  # while somebody else waits


class Listener(Protocol):
    """Hears what comes of this client's boards."""

    def on_result(self, row: Row) -> None: ...
    def on_event(self, event: Event) -> None: ...
    def on_trouble(self, error: Exception) -> None: ...


class Leases:
    """``boards``: serial -> its lease, of all that this client reserved and has."""

    def __init__(self, api: Api, name: str, server: EventServer, logger: logging.Logger) -> None:
        self.boards: dict[str, str] = {}
        self.listeners: list[Listener] = []
        self.server, self.extending = server, True
        self._api, self._name, self._log = api, name, logger
        self._wishes: dict[str, Row] = {}
        self._extensions: dict[str, asyncio.Task[None]] = {}
        self._seen: dict[str, tuple[int, int]] = {}  # lease -> last ids of history and results
        self._ready: set[str] = set()
        self._failing: dict[str, str] = {}
        self._looking, self._telling = asyncio.Lock(), False
        self._task: asyncio.Task[None] | None = None

    async def reserve(self, wish: Row, timeout_s: float | None) -> list[str]:
        """Serials, once the boards can be used. ``timeout_s``: how long to queue; 0: now or not at all."""
        asked = {"id": "l-" + secrets.token_hex(8), **wish, "name": self._name, "wait": timeout_s != 0}
        asking = asyncio.ensure_future(self._ask(asked))
        alone = {name: value for name, value in wish.items() if name != "together"}
        parts: list[Row] = [{}, *wish.get("together", ())]
        mine: list[str] = []
        try:
            gang = await asyncio.shield(asking)
            await self._turn(gang[0], timeout_s)
            for lease, part in zip(gang, parts, strict=True):
                mine += await self._begin(lease["id"], {**alone, **part})
        except BaseException:
            await asyncio.wait([asking], timeout=ASKED_S)  # who is interrupted may have been given boards all the same
            for lease in [] if asking.cancel() else asking.result():
                self._forget(lease["id"])
                await self._api.post(f"/boards/leases/{lease['id']}/end", {})
            raise
        self._begin_watch()
        return mine

    async def _ask(self, asked: Row) -> list[Row]:
        return [first := await self._api.post("/boards/leases", asked), *first.get("together", [])]

    async def adopt(self) -> list[str]:
        """All active leases of this user and name become this client's, and are extended; the boards that are new."""
        mine: list[str] = []
        rows: list[Row] = (await self._api.post("/boards/leases/extend-all", {"name": self._name}))["items"]
        for row in (row for row in rows if row["id"] not in self._wishes):
            lease = row["id"]
            told = [(await self._api.get(f"/boards/{what}", lease=lease, limit=1))["items"] for what in KEPT]
            history, results = (rows[0]["id"] if rows else 0 for rows in told)
            self._wishes[lease] = {name: row[name] for name in WISH}
            self._seen[lease] = (history, results)
            self.boards |= {board["serial"]: lease for board in row["boards"]}
            self._ready |= {board["serial"] for board in row["boards"] if board["state"] == "leased"}
            mine += [board["serial"] for board in row["boards"]]
        self._begin_watch()
        return mine

    def wish(self, lease: str) -> Row:
        """What was asked for, until all its boards are gone and everybody has heard of it."""
        return self._wishes[lease]

    async def again(self, wish: Row, boards: list[str], same: bool) -> list[str]:
        """Queue for as many boards as these of a lease that has ended (`same`: for just these), however long it takes;
        their serials."""
        named: Row = {"serials": boards} if same or wish.get("serials") else {"count": len(boards)}
        rest = {name: value for name, value in wish.items() if name not in ("count", "serials")}
        return await self.reserve({**rest, **named}, None)

    async def change(self, what: str, serials: Iterable[str] | None = None) -> list[str]:
        """`extend` or `end` leases of these boards, or of all of this client's name; the boards that it concerned."""
        if serials is None:
            rows: list[Row] = (await self._api.post(f"/boards/leases/{what}-all", {"name": self._name}))["items"]
            done = [board["serial"] for row in rows for board in row["boards"]]
        else:
            parts = self.parts(serials)
            for lease, mine in parts.items():
                await self._api.post(f"/boards/leases/{lease}/{what}", {"serials": mine} if what == "end" else {})
            done = [serial for mine in parts.values() for serial in mine]
        if what == "end":
            await self._parted(done)
        return done

    def parts(self, serials: Iterable[str]) -> dict[str, list[str]]:
        """lease -> which of these boards it has. FarmError names a stranger."""
        found: dict[str, list[str]] = {}
        for serial in (each.lower() for each in listed(serials)):
            if serial not in self.boards:
                allowed = ", ".join(self.boards) or "none: reserve some first"
                raise FarmError("serials", f"{serial} is not reserved by this client; allowed: {allowed}")
            found.setdefault(self.boards[serial], []).append(serial)
        return found

    async def until_initialized(self, serials: set[str], timeout_s: float) -> set[str]:
        """Wait for these boards to be ready (again); the ones that were not in time."""
        self._ready -= serials
        end = time.monotonic() + timeout_s
        while not serials <= self._ready and time.monotonic() < end:
            await asyncio.sleep(LOOK_S)
        return serials - self._ready

    async def close(self) -> None:
        tasks = [*self._extensions.values(), *([self._task] if self._task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _begin(self, lease: str, wish: Row) -> list[str]:
        """The boards of a lease that has become active, once they can be used."""
        row = await self._api.get(f"/boards/leases/{lease}")
        mine = [board["serial"] for board in row["boards"]]
        self._wishes[lease] = wish
        self._seen[lease] = (0, 0)
        self.boards |= dict.fromkeys(mine, lease)
        await self._until_ready(lease, set(mine))
        return mine

    async def _turn(self, lease: Row, timeout_s: float | None) -> None:
        end = None if timeout_s is None else time.monotonic() + timeout_s
        if lease["state"] == "waiting":
            self._log.info("place %s in the queue for boards", lease["position"])
        while lease["state"] == "waiting":
            if end is not None and time.monotonic() > end:
                raise FarmError("wait", f"no boards within {timeout_s:g} s; place {lease['position']} in the queue")
            await asyncio.sleep(QUEUE_S)
            lease = await self._api.get(f"/boards/leases/{lease['id']}")
        if lease["state"] == "ended":
            raise FarmError("lease", f"{lease['id']} has ended ({lease['why']})", 409)

    async def _until_ready(self, lease: str, serials: set[str]) -> None:
        end = time.monotonic() + READY_S
        while not serials <= self._ready:
            if time.monotonic() > end:
                told = (f"{each}: {self._failing.get(each, 'not ready')}" for each in sorted(serials - self._ready))
                raise FarmError("boards", f"not usable within {READY_S:g} s: {'; '.join(told)}")
            if not serials <= set(self.boards):
                raise FarmError("lease", f"{lease} has ended", 409)
            if not await self._look(lease):
                await self._refuse_hopeless(lease)
                await asyncio.sleep(0.1)

    async def _refuse_hopeless(self, lease: str) -> None:
        """A board that is ready for others, but does not become what the lease asks for, never will."""
        if not self._failing:
            return
        for board in (await self._api.get(f"/boards/leases/{lease}"))["boards"]:
            problem = self._failing.get(board["serial"])
            if problem and board["state"] in ("ready", "quarantine"):
                raise FarmError("boards", f"{board['serial']}: {problem}")

    async def _parted(self, serials: list[str]) -> None:
        """What these boards told before they were given back, and that they were."""
        had = {serial: self.boards.get(serial) for serial in serials}
        for lease in {lease for lease in had.values() if lease is not None}:
            if not self._telling:  # a handler may be who gives them back, and would wait for itself
                await self._look(lease)
        for serial, lease in had.items():
            if self.boards.get(serial) == lease:
                await self._on_event(Event(serial, "ended", {"serial": serial, "why": "ended"}), lease)

    # What comes

    def _begin_watch(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        pause = LOOK_S
        while True:
            try:
                news = [await self._look(lease) for lease in set(self.boards.values())]
            except (NoAnswer, FarmError) as error:
                self._log.warning("%s", error)
                for listener in list(self.listeners):
                    listener.on_trouble(error)
                news = []
            except Exception:
                self._log.exception("what boards told was not understood")
                news = []
            pause = LOOK_S if any(news) else min(pause * 1.4, REST_S if self.listeners else IDLE_S)
            await asyncio.sleep(pause)

    async def _look(self, lease: str) -> bool:
        """Whether there was anything new."""
        async with self._looking:
            if lease not in self.boards.values():
                return False  # it has ended meanwhile, and all that came of it is told
            history, results = self._seen.get(lease, (0, 0))
            # In this order: what came before a reservation ended is given before that.
            told = await self._api.get("/boards/history", lease=lease, after=history, limit=MOST)
            found = await self._api.get("/boards/results", lease=lease, after=results, limit=MOST)
            rows, values = told["items"], found["items"]
            self._seen[lease] = (rows[-1]["id"] if rows else history, values[-1]["id"] if values else results)
            self._telling = True
            try:
                await self._tell(lease, rows, values)
            finally:
                self._telling = False
            return bool(rows or values)

    async def _tell(self, lease: str, rows: list[Row], values: list[Row]) -> None:
        for row in values:
            for listener in list(self.listeners):
                self._guarded(listener.on_result, row)
            await self.server.handle_event(Event(row["serial"], "results", {name: row[name] for name in TOLD}))
        for row in rows:
            await self._on_event(Event(row["serial"], row["what"], {**row["data"], "serial": row["serial"]}), lease)

    async def _on_event(self, event: Event, lease: str | None) -> None:
        if self.boards.get(event.serial) != lease:
            return  # of a reservation that is over
        match event.event:
            case "initialized":
                self._ready.add(event.serial)
                self._failing.pop(event.serial, None)
            case "failure":
                self._ready.discard(event.serial)
                self._failing[event.serial] = str(event.contents.get("problem", "failed"))
                self._log.warning("%s fails: %s", event.serial, self._failing[event.serial])
            case "ended":
                self._log.info("the reservation of %s has ended (%s)", event.serial, event.contents.get("why", ""))
                self._gone(event.serial)
            case "ending-soon" if self.extending and lease:
                self._keep(lease)
            case _:
                pass
        for listener in list(self.listeners):
            self._guarded(listener.on_event, event)
        await self.server.handle_event(event)
        if lease not in self.boards.values():
            self._wishes.pop(lease or "", None)

    def _guarded(self, hears: Callable[[T], None], what: T) -> None:
        """A state of somebody's own may tell anything: that disturbs nobody else."""
        try:
            hears(what)
        except Exception:
            self._log.exception("failed at %s", what)

    def _keep(self, lease: str) -> None:
        if lease not in self._extensions:
            task = self._extensions[lease] = asyncio.get_running_loop().create_task(self._extend(lease))
            task.add_done_callback(lambda _: self._extensions.pop(lease, None))

    async def _extend(self, lease: str) -> None:
        """As long as it lasts, unless somebody with fewer boards waits for it."""
        while lease in self.boards.values():
            try:
                await self._api.post(f"/boards/leases/{lease}/extend", {"unless_wanted": True})
                return
            except FarmError as error:
                self._log.info("not extended: %s", error)
                if error.field != "unless_wanted":
                    return
            await asyncio.sleep(EXTEND_AGAIN_S)

    def _forget(self, lease: str) -> None:
        for serial in [each for each, its in self.boards.items() if its == lease]:
            self._gone(serial)
        self._wishes.pop(lease, None)

    def _gone(self, serial: str) -> None:
        lease = self.boards.pop(serial, None)
        self._ready.discard(serial)
        self._failing.pop(serial, None)
        if lease is not None and lease not in self.boards.values():
            self._seen.pop(lease, None)
