"""One batch of evaluations: every board is kept supplied, results are given as they come."""

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncGenerator, Coroutine, Iterable
from contextlib import suppress
from typing import Any

from farmhand_client.api import Api
from farmhand_client.errors import FarmError, NoAnswer
from farmhand_client.evaluation import Evaluation, EvaluationFailed, Result
from farmhand_client.events import Event
from farmhand_client.leases import MOST, Leases, Row
from farmhand_client.supply import Piece, Supply
from farmhand_client.uploads import Uploads, pieces

AGAIN_S = 0.5
TRIES = 3
LOOK_S = 1.0


class Run:
    """``given``: for the boards that each names; ``spread``: for any one of them each. ``batch``: under which the farm
    keeps the results; what it has of that already is not evaluated again. A board that gives no result for
    ``result_timeout`` s is rebooted once; one that fails, or whose sentry is away, is waited for as long."""

    def __init__(
        self,
        api: Api,
        leases: Leases,
        given: Iterable[Evaluation],
        result_timeout: float,
        logger: logging.Logger,
        spread: bool = False,
        batch: str | None = None,
    ) -> None:
        self.batch = batch or "b-" + uuid.uuid4().hex[:12]
        self._resumed = batch is not None
        self._supply = Supply(pieces(given, self._resumed), spread)
        self.total = len(self._supply)
        leases.parts(self._supply.serials)
        self._api, self._leases, self._log, self._timeout = api, leases, logger, result_timeout
        self._feeds: dict[str, asyncio.Task[None]] = {}  # of the boards that are there
        self._tasks: set[asyncio.Task[None]] = set()
        self._lease: dict[str, str] = {}
        self._coming: dict[str, list[str]] = {}  # lease that has ended -> boards that it had
        self._room: dict[str, asyncio.Event] = {}
        self._heard: dict[str, float] = {}
        self._failing: dict[str, str] = {}
        self._rebooted: set[str] = set()
        self._found: asyncio.Queue[Result | Exception] = asyncio.Queue()
        self._uploads = Uploads(api)

    async def results(self) -> AsyncGenerator[Result, None]:
        """All of them, each once."""
        self._leases.listeners.append(self)
        try:
            for result in await self._kept() if self._resumed else ():
                yield result
            left = len(self._supply)
            for serial in self._supply.serials:
                self._start(serial)
            self._spawn(self._guard())
            for _ in range(left):
                found = await self._found.get()
                if isinstance(found, Exception):
                    raise found
                yield found
        finally:
            self._leases.listeners.remove(self)
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, self._uploads.close(), return_exceptions=True)

    # What comes

    def on_result(self, row: Row) -> None:
        serial = row["serial"]
        if row["batch"] != self.batch or serial not in self._feeds:
            return
        self._heard[serial] = time.monotonic()
        self._rebooted.discard(serial)
        self._failing.pop(serial, None)
        if piece := self._supply.done(serial, row["evaluation"]):  # else it was sent twice
            if row["cause"] == "board" and self._supply.again(serial, piece):
                self._log.info("%s goes to another board: %s", piece.name, row["problem"])
                self._wake()
                return
            value = EvaluationFailed(row["problem"]) if row["problem"] else row["value"]
            self._found.put_nowait(Result(serial, piece.evaluation, value, row["gate_ms"], row["took_ms"]))
            self._room[serial].set()

    def on_event(self, event: Event) -> None:
        serial = event.serial
        if serial not in self._feeds:
            return
        match event.event:
            case "initialized":
                self._failing.pop(serial, None)
                self._heard[serial] = time.monotonic()
                if not event.contents.get("waiting"):  # its sentry, or the board, began anew
                    self._supply.take_back(serial)
                self._room[serial].set()
            case "well-again":
                self._failing.pop(serial, None)
                self._heard[serial] = time.monotonic()
            case "failure":
                self._failing[serial] = str(event.contents.get("problem", "failed"))
                self._heard[serial] = time.monotonic()
            case "wanted" if self._supply.spread:
                self._share(event.contents["boards"], event.contents["serials"])
            case "ended" if event.contents.get("why") == "expired":
                self._queue_again(serial)
            case "ended":
                self._give_up(serial, "its reservation has ended")
            case _:
                pass

    def on_trouble(self, error: Exception) -> None:
        self._found.put_nowait(error)

    async def _kept(self) -> list[Result]:
        """What an earlier run of this batch gave."""
        rows: list[Row] = []
        after = 0
        while part := (await self._api.get("/boards/results", batch=self.batch, after=after, limit=MOST))["items"]:
            rows += part
            after = part[-1]["id"]
        found = {(row["serial"], row["evaluation"]): row for row in rows if not row["problem"]}
        known = [(serial, piece.evaluation, found[serial, piece.name]) for serial, piece in self._supply.skip(found)]
        return [Result(serial, each, row["value"], row["gate_ms"], row["took_ms"]) for serial, each, row in known]

    # What goes out

    async def _feed(self, serial: str) -> None:
        while True:
            if part := self._supply.take(serial):
                await self._send(serial, part)
            else:
                self._room[serial].clear()
                await self._room[serial].wait()

    async def _send(self, serial: str, part: list[Piece]) -> None:
        files: list[dict[str, str]] = []
        for piece in part:
            try:
                files.append({"name": piece.name, "sha256": await self._uploads.sha256(piece.evaluation.filepath)})
            except NoAnswer:
                raise
            except (OSError, ValueError, FarmError) as error:
                self._fail(serial, piece.name, str(error))
        refusals = 0
        while files := [file for file in files if file["name"] in self._supply.out(serial)]:
            problem = await self._call(serial, files)
            if not problem:
                return
            refusals += await self._usable(serial)
            if refusals >= TRIES:
                for file in files:
                    self._fail(serial, file["name"], problem)
                return
            await asyncio.sleep(AGAIN_S)

    async def _call(self, serial: str, files: list[dict[str, str]]) -> str:
        """The problem, or nothing."""
        wish: dict[str, Any] = {"method": "evaluate", "args": {"batch": self.batch}, "serials": [serial]}
        try:
            answer = await self._api.post(f"/boards/leases/{self._lease[serial]}/call", {**wish, "files": files})
        except NoAnswer:
            raise
        except FarmError as error:
            return str(error)
        return str(answer["problems"].get(serial, ""))

    async def _usable(self, serial: str) -> bool:
        """Whether the farm believes that the board takes calls: one that is being healed is waited for."""
        row = await self._api.get(f"/boards/leases/{self._lease[serial]}")
        return any(each["serial"] == serial and each["state"] == "leased" for each in row["boards"])

    # Boards that come and go

    def _start(self, serial: str) -> None:
        self._supply.join(serial)
        self._lease[serial] = self._leases.boards[serial]
        self._room[serial] = asyncio.Event()
        self._heard[serial] = time.monotonic()
        self._feeds[serial] = self._spawn(self._feed(serial))

    def _halt(self, serial: str) -> None:
        self._feeds.pop(serial).cancel()
        self._supply.leave(serial)
        self._failing.pop(serial, None)
        self._wake()

    def _wake(self) -> None:
        for room in self._room.values():
            room.set()

    def _share(self, count: int, serials: list[str]) -> None:
        """Somebody waits: give so many of these boards back. What waits there goes to the others."""
        mine = [serial for serial in serials if serial in self._feeds]
        for serial in mine[: min(count, len(self._feeds) - 1)]:
            self._log.info("%s is given back to somebody who waits", serial)
            self._halt(serial)
            self._spawn(self._release(serial))

    async def _release(self, serial: str) -> None:
        with suppress(FarmError):  # it has ended by itself
            await self._leases.change("end", [serial])

    def _queue_again(self, serial: str) -> None:
        """Its time is up, and somebody waits: this batch waits too, then."""
        self._halt(serial)
        boards = self._coming.setdefault(self._lease[serial], [])
        boards.append(serial)
        if len(boards) == 1:
            lease = self._lease[serial]
            self._spawn(self._return(lease, boards, self._leases.wish(lease)))

    async def _return(self, lease: str, boards: list[str], wish: Row) -> None:
        await asyncio.sleep(LOOK_S)  # until all its boards are told of
        try:
            found = await self._leases.again(wish, boards, same=not self._supply.spread)
        except NoAnswer:
            raise
        except FarmError as error:
            del self._coming[lease]
            for serial in boards:
                self._hopeless(serial, str(error))
            return
        del self._coming[lease]
        for serial in found:
            self._start(serial)

    # What goes wrong

    async def _guard(self) -> None:
        """Boards that are silent, or fail for too long."""
        while True:
            await asyncio.sleep(LOOK_S)
            for serial in list(self._feeds):
                if time.monotonic() - self._heard[serial] < self._timeout:
                    continue
                waiting = self._supply.out(serial)
                if serial in self._failing:
                    self._give_up(serial, self._failing[serial])
                elif waiting and serial in self._rebooted:
                    self._give_up(serial, f"no result within {self._timeout:g} s, nor after a reboot")
                elif waiting:
                    self._log.warning("%s gave no result for %g s: rebooted", serial, self._timeout)
                    self._rebooted.add(serial)
                    self._heard[serial] = time.monotonic()
                    await self._reboot(serial)
                else:
                    self._heard[serial] = time.monotonic()

    async def _reboot(self, serial: str) -> None:
        try:
            await self._api.post(f"/boards/{serial}/do", {"do": "reboot"})
        except NoAnswer:
            raise
        except FarmError as error:
            self._log.warning("%s", error)

    def _give_up(self, serial: str, problem: str) -> None:
        """What others may do goes back to them."""
        self._halt(serial)
        self._hopeless(serial, problem)

    def _hopeless(self, serial: str, problem: str) -> None:
        if self._supply.spread and self._coming:
            return
        for piece in self._supply.hopeless(serial):
            self._found.put_nowait(Result(serial, piece.evaluation, EvaluationFailed(problem)))

    def _fail(self, serial: str, name: str, problem: str) -> None:
        if piece := self._supply.done(serial, name):
            self._found.put_nowait(Result(serial, piece.evaluation, EvaluationFailed(problem)))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: work.close())  # it may have been cancelled before it began
        return task

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:
            self._found.put_nowait(error)
