"""A pool of our own: it speaks the protocol of duco_wire.py to any Duino-Coin miner.

For tests, for a demo, and for a farm without internet. It holds no balances: it draws jobs, judges results, and counts.
`STATS` on a connection of its own answers with one line of JSON, `MOTD` with a line of text.
"""

import asyncio
import json
import logging
import time
from collections import Counter, deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from random import Random
from typing import Any

from sentry.mining import duco_wire as wire
from sentry.mining.duco_judged import Judged
from sentry.mining.duco_rules import Given, Rules, digest, judge, may_work, new_job
from sentry.mining.duco_tiers import LADDER
from sentry.mining.duco_wire import JobRequest, Malformed, Result, Verdict

log = logging.getLogger(__name__)

VERSION = "3.0"
QUIET_S = 0.05
MOST_WORKERS = 10_000  # told one by one; strangers must not fill the memory with names


@dataclass(frozen=True, slots=True)
class Manners:
    """How the pool answers, whatever it answers.

    ``delay_s``: each answer leaves so long after what it answers came, as over a slow network; ``first_s``, ``next_s``:
    silence after which a connection is closed, before the first job and then; ``by_segment``: takes what one read gives
    for one message, as the public pool's source does, so that of two lines sent at once the second is lost.
    """

    delay_s: float = 0
    first_s: float = 30
    next_s: float = 90
    by_segment: bool = False
    motd: str = "a pool of farmhand"
    seed: str = ""


@dataclass
class Worker:
    """Figures of everybody who mines under one user and rig name."""

    tier: str = ""
    hashrate: float = 0
    chip: str = ""
    connections: int = 0
    jobs: int = 0
    accepted: int = 0
    blocks: int = 0


class PoolServer:
    def __init__(self, rules: Rules, manners: Manners, judged: Judged | None = None) -> None:
        self.rules, self.manners, self.judged = rules, manners, judged
        self.workers: dict[str, Worker] = {}
        self.refused: dict[str, Counter[str]] = {}
        self.users: Counter[str] = Counter()
        self.accounts = 0  # connections ever, which number the dice
        self._dice = Random(manners.seed) if manners.seed else Random()
        self.seed = manners.seed or f"{self._dice.getrandbits(64):016x}"

    async def start(self, host: str, port: int) -> asyncio.Server:
        return await asyncio.start_server(self._serve, host, port)

    def statistics(self) -> dict[str, Any]:
        """All figures, fit for JSON."""
        shown = {
            name: {**vars(each), "refused": dict(self.refused.get(name, {}))} for name, each in self.workers.items()
        }
        workers = self.workers.values()
        return {
            "connections": sum(each.connections for each in workers),
            "jobs": sum(each.jobs for each in workers),
            "accepted": sum(each.accepted for each in workers),
            "blocks": sum(each.blocks for each in workers),
            "refused": sum(sum(each.values()) for each in self.refused.values()),
            "workers": shown,
        }

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        account = Account(self, writer)
        try:
            account.answer(f"{VERSION}\n".encode(), time.monotonic())
            async for line, came in self._lines(reader, account):
                if not account.hear(line, came):
                    break
        except (OSError, Malformed):
            pass
        finally:
            await account.end()

    async def _lines(self, reader: asyncio.StreamReader, account: "Account") -> AsyncIterator[tuple[str, float]]:
        """Lines with the time they came; one without a newline ends when nothing follows it."""
        rest = b""
        while True:
            silence = self.manners.next_s if account.jobs else self.manners.first_s
            try:
                chunk = await asyncio.wait_for(reader.read(4096), QUIET_S if rest else silence)
            except TimeoutError:
                if not rest:
                    return
                chunk = b"\n"
            if not chunk:
                return
            *lines, rest = (rest + chunk).split(b"\n")
            if self.manners.by_segment:
                lines, rest = [lines[0] if lines else rest], b""
            if len(rest) > wire.MOST_LINE:
                return
            for line in lines:
                if line.strip():
                    yield line.decode("ascii", "replace"), time.monotonic()


class Account:
    """One connection: who works there, on which job."""

    def __init__(self, pool: PoolServer, writer: asyncio.StreamWriter) -> None:
        self.jobs = 0
        self._pool, self._writer = pool, writer
        self._dice = Random(f"{pool.seed}-{pool.accounts}")
        self._last = digest(f"{pool.seed}-{pool.accounts}", 0)
        pool.accounts += 1
        self._user = self._name = self._tier = ""
        self._given: Given | None = None
        self._recent: deque[float] = deque()
        self._out: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue()
        self._sender = asyncio.create_task(self._send())

    def answer(self, line: bytes, came: float) -> None:
        """Send ``line`` the set delay after ``came``; answers overlap, as on a slow network."""
        self._out.put_nowait((came + self._pool.manners.delay_s, line))

    def hear(self, line: str, came: float) -> bool:
        """Take one line; False: the connection is over."""
        word = line.split(",", 1)[0].strip()
        if self._given is not None and word not in ("STATS", "MOTD"):
            self._judge(self._given, line, came)
        elif word == "JOB":
            return self._give(wire.parse_job_request(line), came)
        elif word == "STATS":
            self.answer(json.dumps(self._pool.statistics()).encode() + b"\n", came)
        elif word == "MOTD":
            self.answer(self._pool.manners.motd.encode() + b"\n", came)
        else:  # a result without a job
            self._refuse(wire.INCORRECT_DATA, came)
        return True

    async def end(self) -> None:
        """Send what is due, and close."""
        if self._user:
            self._pool.users[self._user] -= 1
        if worker := self._pool.workers.get(self._name):
            worker.connections -= 1
        self._out.put_nowait(None)
        await self._sender
        self._writer.close()

    def _give(self, request: JobRequest, came: float) -> bool:
        pool = self._pool
        if self._user and request.user != self._user:
            self._refuse(wire.INCORRECT_DATA, came)
            return False
        if not self._user and request.user:
            self._user = request.user
            pool.users[self._user] += 1
        refusal = may_work(pool.rules, self._user, pool.users[self._user])
        if refusal:
            self._refuse(refusal.why, came)
            return False
        asked = request.tier if request.tier in LADDER else "NET"
        self._tier = self._tier if pool.rules.ladder and self._tier else asked
        leaves = came + pool.manners.delay_s
        self._given = new_job(self._last, self._tier, pool.rules, self._dice.random(), leaves)
        self._last = self._given.work.target
        self.jobs += 1
        self.answer(wire.work_line(self._given.work), came)
        return True

    def _judge(self, given: Given, line: str, came: float) -> None:
        self._given = None
        try:
            result = wire.parse_result(line)
        except Malformed as error:
            log.info("from %s: %s", self._user, error)
            self._refuse(wire.INCORRECT_DATA, came)
            return
        self._known_as(f"{self._user}/{result.rig}")
        verdict, self._tier = judge(self._pool.rules, given, result, self._recent, self._dice.random(), came)
        self._record(given, result, verdict)
        worker = self._pool.workers[self._name]
        worker.tier, worker.hashrate, worker.chip = given.tier, result.hashrate, result.chip
        worker.jobs += 1
        if verdict.word == "BAD":
            self._refuse(verdict.why, came)
            return
        worker.accepted += 1
        worker.blocks += verdict.word == "BLOCK"
        self.answer(wire.verdict_line(verdict), came)

    def _record(self, given: Given, result: Result, verdict: Verdict) -> None:
        """Before anybody hears of it: what is credited is in the ledger."""
        if self._pool.judged is None:
            return
        try:
            self._pool.judged.write(f"{self._user}/{result.rig}", given, result, verdict)
        except OSError as error:
            log.error("ledger: %s; a share of %s was not judged", error, self._name)
            raise

    def _known_as(self, name: str) -> None:
        """The rig's name comes with the result."""
        if name not in self._pool.workers and len(self._pool.workers) >= MOST_WORKERS:
            name = "others"
        if name != self._name:
            if before := self._pool.workers.get(self._name):
                before.connections -= 1
            self._name = name
            self._pool.workers.setdefault(name, Worker()).connections += 1

    def _refuse(self, why: str, came: float) -> None:
        self._pool.refused.setdefault(self._name or f"{self._user}/", Counter())[why] += 1
        self.answer(wire.verdict_line(Verdict("BAD", why)), came)

    async def _send(self) -> None:
        try:
            while due := await self._out.get():
                await asyncio.sleep(max(0.0, due[0] - time.monotonic()))
                self._writer.write(due[1])
                await self._writer.drain()
        except OSError:
            pass


async def ask_statistics(host: str, port: int, timeout_s: float = 10) -> dict[str, Any]:
    """The figures of a running pool. Raises OSError, TimeoutError, ValueError."""
    async with asyncio.timeout(timeout_s):
        reader, writer = await asyncio.open_connection(host, port, limit=1 << 24)
        try:
            await reader.readline()
            writer.write(b"STATS\n")
            return json.loads(await reader.readline())
        finally:
            writer.close()
