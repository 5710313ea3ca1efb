"""One batch of evaluations: every board is kept supplied, results are given as they come."""

import asyncio
import logging
import os
import time
import uuid
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from math import ceil
from typing import Any

from farmhand_client.api import Api
from farmhand_client.errors import FarmError, NoAnswer
from farmhand_client.evaluation import Evaluation, EvaluationFailed, Result
from farmhand_client.events import Event
from farmhand_client.files import bitstream
from farmhand_client.leases import Leases, Row

WINDOW, PART = 16, 4  # bitstreams that wait for a board; in one call, so that the first one begins at once
AGAIN_S = 0.5
TRIES = 3
LOOK_S = 1.0


class Run:
    """``given``: for the boards that each names; ``spread``: for any one of ``serials`` each. ``batch``: under which
    the farm keeps the results. A board that gives no result for ``result_timeout`` s is rebooted once; one that fails,
    or whose sentry is away, is waited for as long."""

    def __init__(
        self,
        api: Api,
        leases: Leases,
        given: Iterable[Evaluation],
        result_timeout: float,
        logger: logging.Logger,
        spread: bool = False,
    ) -> None:
        self.batch = "b-" + uuid.uuid4().hex[:12]
        evaluations = list(given)
        serials = set[str]().union(*(each.serials for each in evaluations))
        leases.parts(serials)
        self._api, self._leases, self._log, self._timeout = api, leases, logger, result_timeout
        self._shared = deque(evaluations) if spread else deque[Evaluation]()
        self._own = {serial: deque[Evaluation]() for serial in serials}
        if not spread:
            for each in evaluations:
                for serial in each.serials:
                    self._own[serial].append(each)
        self.total = len(evaluations) if spread else sum(map(len, self._own.values()))
        self._spread = spread
        self._out: dict[str, dict[str, Evaluation]] = {serial: {} for serial in serials}
        self._room = {serial: asyncio.Event() for serial in serials}
        self._heard = dict.fromkeys(serials, time.monotonic())
        self._failing: dict[str, str] = {}
        self._rebooted: set[str] = set()
        self._dead: dict[str, str] = {}
        self._found: asyncio.Queue[Result | Exception] = asyncio.Queue()
        self._uploads: dict[str, asyncio.Task[str]] = {}

    async def results(self) -> AsyncGenerator[Result, None]:
        """All of them, each once."""
        self._leases.listeners.append(self)
        tasks = [asyncio.create_task(self._guarded(self._feed(serial))) for serial in self._own]
        tasks.append(asyncio.create_task(self._guarded(self._guard())))
        try:
            for _ in range(self.total):
                found = await self._found.get()
                if isinstance(found, Exception):
                    raise found
                yield found
        finally:
            self._leases.listeners.remove(self)
            for task in (*tasks, *self._uploads.values()):
                task.cancel()
            await asyncio.gather(*tasks, *self._uploads.values(), return_exceptions=True)

    # What comes

    def on_result(self, row: Row) -> None:
        serial = row["serial"]
        if row["batch"] != self.batch or serial not in self._out:
            return
        self._heard[serial] = time.monotonic()
        self._rebooted.discard(serial)
        self._failing.pop(serial, None)
        evaluation = self._out[serial].pop(row["evaluation"], None)
        if evaluation:  # else it was sent twice
            value = EvaluationFailed(row["problem"]) if row["problem"] else row["value"]
            self._found.put_nowait(Result(serial, evaluation, value))
            self._room[serial].set()

    def on_event(self, event: Event) -> None:
        serial = event.serial
        if serial not in self._out:
            return
        match event.event:
            case "initialized":
                self._failing.pop(serial, None)
                self._heard[serial] = time.monotonic()
                if not event.contents.get("waiting"):  # its sentry, or the board, began anew
                    self._send_again(serial)
                self._room[serial].set()
            case "well-again":
                self._failing.pop(serial, None)
                self._heard[serial] = time.monotonic()
            case "failure":
                self._failing[serial] = str(event.contents.get("problem", "failed"))
                self._heard[serial] = time.monotonic()
            case "ended":
                self._give_up(serial, "its reservation has ended")
            case _:
                pass

    def on_trouble(self, error: Exception) -> None:
        self._found.put_nowait(error)

    # What goes out

    async def _feed(self, serial: str) -> None:
        while serial not in self._dead:
            part = self._take(serial)
            if part:
                await self._send(serial, part)
            else:
                self._room[serial].clear()
                await self._room[serial].wait()

    def _take(self, serial: str) -> list[Evaluation]:
        part: list[Evaluation] = []
        most = WINDOW
        if self._shared:  # towards the end no board shall have much that another could do
            most = min(WINDOW, max(2, ceil(len(self._shared) / len(self._own))))
        while len(part) < PART and len(self._out[serial]) + len(part) < most:
            waiting = self._own[serial] or self._shared
            if not waiting:
                break
            part.append(waiting.popleft())
        return part

    async def _send(self, serial: str, part: list[Evaluation]) -> None:
        files: list[dict[str, str]] = []
        for each in part:
            try:
                files.append({"name": each.id, "sha256": await self._upload(each)})
                self._out[serial][each.id] = each
            except (OSError, ValueError) as error:
                self._found.put_nowait(Result(serial, each, EvaluationFailed(str(error))))
            except FarmError as error:
                if isinstance(error, NoAnswer):
                    raise
                self._found.put_nowait(Result(serial, each, EvaluationFailed(str(error))))
        refusals = 0
        while files and serial not in self._dead:
            problem = await self._call(serial, files)
            if not problem:
                return
            refusals += await self._usable(serial)
            if refusals >= TRIES:
                for file in files:
                    if evaluation := self._out[serial].pop(file["name"], None):
                        self._found.put_nowait(Result(serial, evaluation, EvaluationFailed(problem)))
                return
            await asyncio.sleep(AGAIN_S)
            files = [file for file in files if file["name"] in self._out[serial]]

    async def _call(self, serial: str, files: list[dict[str, str]]) -> str:
        """The problem, or nothing."""
        wish: dict[str, Any] = {"method": "evaluate", "args": {"batch": self.batch}, "serials": [serial]}
        try:
            lease = self._leases.boards[serial]
            answer = await self._api.post(f"/boards/leases/{lease}/call", {**wish, "files": files})
        except KeyError:
            return "its reservation has ended"
        except NoAnswer:
            raise
        except FarmError as error:
            return str(error)
        return str(answer["problems"].get(serial, ""))

    async def _usable(self, serial: str) -> bool:
        """Whether the farm believes that the board takes calls: one that is being healed is waited for."""
        lease = self._leases.boards.get(serial)
        if lease is None:
            return True
        row = await self._api.get(f"/boards/leases/{lease}")
        return any(each["serial"] == serial and each["state"] == "leased" for each in row["boards"])

    async def _upload(self, evaluation: Evaluation) -> str:
        """Once, whatever number of boards needs it."""
        path = os.fspath(evaluation.filepath)
        if path not in self._uploads:
            self._uploads[path] = asyncio.create_task(self._uploaded(path))
        return await asyncio.shield(self._uploads[path])

    async def _uploaded(self, path: str) -> str:
        content = await asyncio.to_thread(bitstream, path)
        answer = await self._api.upload("/boards/files", content, name=os.path.basename(path)[-64:])
        return str(answer["sha256"])

    # What goes wrong

    async def _guard(self) -> None:
        """Boards that are silent, or fail for too long."""
        while True:
            await asyncio.sleep(LOOK_S)
            for serial, waiting in self._out.items():
                if serial in self._dead or time.monotonic() - self._heard[serial] < self._timeout:
                    continue
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

    def _send_again(self, serial: str) -> None:
        lost, self._out[serial] = self._out[serial], {}
        self._own[serial].extendleft(reversed(list(lost.values())))

    def _give_up(self, serial: str, problem: str) -> None:
        """What others may do goes back to them."""
        if serial in self._dead:
            return
        self._dead[serial] = problem
        self._send_again(serial)
        left, self._own[serial] = self._own[serial], deque()
        if self._spread:
            self._shared.extendleft(reversed(left))
            left = self._shared if len(self._dead) == len(self._own) else deque[Evaluation]()
        while left:
            self._found.put_nowait(Result(serial, left.popleft(), EvaluationFailed(problem)))
        for room in self._room.values():
            room.set()

    async def _guarded(self, work: Any) -> None:
        try:
            await work
        except Exception as error:
            self._found.put_nowait(error)
