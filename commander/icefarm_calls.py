"""Evaluations that iCEFARM clients ask for, until each has its result.

A call that a board cannot take at this moment is made again until it can: the client would take a refusal for the
bitstream's. What a sentry that was killed has forgotten is sent a second time.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, cast

from commander.boards import calls, icefarm
from commander.boards.pool import boards
from commander.boards.wishes import Asker
from commander.db_edge import DatabaseUnavailable
from commander.effects import Refused, Row
from commander.http.blobs import store
from commander.http.board_calls import MOST_BYTES, answered
from commander.http.paging import do, now_ms
from commander.service import Service

log = logging.getLogger(__name__)

HOLD_S = 60.0  # how long a board may take to be usable again
RETRY_S = 0.5
MOST_REQUESTS = 1_000  # of one client under way at once
MOST_OPEN = 512  # evaluations that one board is given at once; sentries refuse the 1025th
STORING = 4  # files at once
NOT_NOW = ("not-usable", "not-leased", "unknown-board", "busy")
CANNOT = (Refused, DatabaseUnavailable, TimeoutError)


@dataclass(eq=False)
class Open:
    """An evaluation on one board that has no result yet. `taken`: its sentry has it; `again`: for the second time."""

    order: Row  # method, args, files: [{name, sha256}]
    batch: str
    taken: bool = False
    again: bool = False


class Calls:
    """`tell`: the name of a client, and the text of an event for it."""

    def __init__(self, service: Service, user: str, tell: Callable[[str, str], None]) -> None:
        self._service, self._user, self._tell = service, user, tell
        self._open: dict[str, dict[str, Open]] = {}  # by serial and evaluation
        self._requests: Counter[str] = Counter()  # under way, by client
        self._tasks: set[asyncio.Task[None]] = set()
        self._storing = asyncio.Semaphore(STORING)

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def take(self, name: str, asked: icefarm.Request) -> None:
        """A request of a client, until the sentries have taken it."""
        held = _boards(self._leases(name))
        mine = tuple(serial for serial in asked.serials if serial in held)
        if self._requests[name] >= MOST_REQUESTS:
            log.warning("iCEFARM client %s: has %s requests under way already", name, MOST_REQUESTS)
            mine = ()
        self._failed(name, asked.batch, tuple(set(asked.serials) - set(mine)), list(asked.files))
        if not mine:
            return
        self._requests[name] += 1
        try:
            await self._taken(name, asked, mine)
        finally:
            self._requests -= Counter([name])

    async def _taken(self, name: str, asked: icefarm.Request, serials: tuple[str, ...]) -> None:
        files: list[Row] = []
        for each, data in asked.files.items():
            try:
                files.append(await self._file(name, each, data))
            except CANNOT as error:
                log.warning("iCEFARM client %s: %s", name, error)
                self._failed(name, asked.batch, serials, [each])
        if asked.files and not files:
            return
        order = {"method": asked.method, "args": asked.args, "files": files}
        held = _boards(self._leases(name))
        for serial in held.intersection(serials):
            mine = self._open.setdefault(serial, {})
            for file in files:
                mine[file["name"]] = Open({**order, "files": [file]}, asked.batch)
        await self._deliver(name, order, asked.batch, set(serials))

    def finished(self, row: Row) -> None:
        """A row of `board_result`."""
        self._open.get(row["serial"], {}).pop(row["evaluation"], None)

    def initialized(self, name: str, serial: str, waiting: int) -> None:
        """A board begins, with so many evaluations; with none of those that its sentry had, they are lost."""
        lost = {key: each for key, each in self._open.get(serial, {}).items() if each.taken and not waiting}
        for key, each in lost.items():
            if each.again:
                self._failed(name, each.batch, (serial,), [key])
            else:
                each.taken, each.again = False, True
                self.begin(self._deliver(name, each.order, each.batch, {serial}))

    def ended(self, serial: str) -> None:
        self._open.pop(serial, None)

    def _leases(self, name: str) -> list[Row]:
        return icefarm.leases_of(self._service.flow.farm, self._user, name)

    async def _file(self, name: str, evaluation: str, data: bytes) -> Row:
        if not 0 < len(data) <= MOST_BYTES:
            raise Refused("contents.files", f"must have 1 to {MOST_BYTES} bytes")
        digest = sha256(data).hexdigest()
        if digest not in self._service.flow.farm["blob"]:
            async with self._storing:
                await store(self._service, data, "", self._user)
        return {"name": evaluation, "sha256": digest}

    async def _deliver(self, name: str, order: Row, batch: str, left: set[str]) -> None:
        names = [file["name"] for file in order["files"]]
        until = time.monotonic() + HOLD_S
        while left:
            mine = self._leases(name)
            held = _boards(mine)
            self._failed(name, batch, tuple(left - held), names)
            left &= held
            for call in icefarm.calls(mine, self._usable(mine, left)):
                left -= await self._call(name, order, batch, call)
            if not left:
                return
            if any(self._is_full(serial) for serial in left):
                until = time.monotonic() + HOLD_S
            if time.monotonic() > until:
                log.warning("iCEFARM client %s: %s cannot be used", name, ", ".join(sorted(left)))
                self._failed(name, batch, tuple(left), names)
                return
            await asyncio.sleep(RETRY_S)

    def _usable(self, leases: list[Row], serials: set[str]) -> set[str]:
        known = boards(self._service.flow.farm, now_ms())
        ours = {lease["id"] for lease in leases}
        well = {s for s in serials & set(known) if known[s].presence == "ready" and known[s].state == "leased"}
        return {s for s in well if known[s].lease in ours and not self._is_full(s)}

    def _is_full(self, serial: str) -> bool:
        return sum(each.taken for each in self._open.get(serial, {}).values()) >= MOST_OPEN

    async def _call(self, name: str, order: Row, batch: str, call: icefarm.Call) -> set[str]:
        """Which boards have taken it, or never will."""
        names = [file["name"] for file in order["files"]]
        wish = {**order, "serials": call.serials}

        def work(farm: Any, moment: Any) -> Any:
            return calls.call(farm, Asker(self._user), call.lease, wish, moment)

        try:
            sent = await do(self._service, work, self._user)
        except CANNOT as error:
            log.warning("iCEFARM client %s: %s", name, error)
            self._failed(name, batch, tuple(call.serials), names)
            return set(call.serials)
        settled: set[str] = set()
        for row in await asyncio.gather(*(answered(self._service, row) for row in sent)):
            wrong, later = _problems(row)
            took: set[str] = set(row["args"]["serials"]) - later
            settled |= took
            if wrong:
                log.warning("iCEFARM client %s: %s: %s", name, row["node"], "; ".join(map(str, wrong.values())))
            self._failed(name, batch, tuple(wrong), names)
            for serial in took - set(wrong):
                for key in set(names) & set(self._open.get(serial, {})):
                    self._open[serial][key].taken = True
        return settled

    def _failed(self, name: str, batch: str, serials: tuple[str, ...], names: list[str]) -> None:
        for serial in serials:
            for each in names:
                self._open.get(serial, {}).pop(each, None)
            if batch and names:
                self._tell(name, icefarm.results(serial, batch, dict.fromkeys(names)))


def _boards(leases: list[Row]) -> set[str]:
    return {serial for lease in leases for serial in lease["boards"]}


def _problems(row: Row) -> tuple[Row, set[str]]:
    """What came of a command that is over, a stranger's JSON: (serial -> problem, boards that may take it later)."""
    serials: list[str] = row["args"]["serials"]
    if row["status"] != "done":
        if row["code"] in NOT_NOW:
            return {}, set(serials)
        return dict.fromkeys(serials, row["result"] or row["code"] or row["status"]), set()
    problems, codes = (_part(row["result"], name) for name in ("problems", "codes"))
    later = {serial for serial in serials if codes.get(serial) in NOT_NOW}
    return {serial: problems[serial] for serial in serials if serial in problems and serial not in later}, later


def _part(result: Any, name: str) -> Row:
    found: Any = cast("Row", result).get(name) if isinstance(result, dict) else None
    return cast("Row", found) if isinstance(found, dict) else {}
