"""One worker and its connections with a pool: job -> offer, share -> result, verdict -> next offer."""

import asyncio
import logging
import random
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sentry.birth import now_ms
from sentry.flight import retry_pause
from sentry.mining import duco_wire as wire
from sentry.mining.duco_ledger import Deliver, Job, Ledger, Share, Tell
from sentry.mining.duco_link import GivenUp, PoolLink, PoolLost, PoolRefused, Pools
from sentry.mining.duco_tiers import LADDER, above, below
from sentry.mining.duco_wire import JobRequest, Result, Verdict, Work
from sentry.mining.settings import PoolSettings

log = logging.getLogger(__name__)

MINUTE_S = 60.0
BADS_IN_A_ROW = 5
FAILURES_IN_A_ROW = 2

Offer = Callable[[dict[str, Any]], None]


@dataclass
class Waits:
    """Milliseconds, summed since the last report: for a job, for a verdict, for the pool's limit of shares."""

    jobs: int = 0
    job_ms: float = 0
    verdicts: int = 0
    verdict_ms: float = 0
    paced_ms: float = 0


@dataclass
class Worker:
    """``name``: as the pool shows it; ``family``: begins the ids of its jobs; ``present``: set while the device is
    ready to work; ``waits``: since the report that took the last ones."""

    name: str
    family: str
    settings: PoolSettings
    pools: Pools
    offer: Offer
    present: asyncio.Event = field(default_factory=asyncio.Event)
    ledger: Ledger = field(default_factory=Ledger)
    waits: Waits = field(default_factory=Waits)
    hashrate: float = 0
    difficulty: int = 0

    def __post_init__(self) -> None:
        self.difficulty_most = self.settings.difficulty_most
        self.connections = [Connection(self) for _ in range(self.settings.connections)]
        self._shares: dict[str, asyncio.Future[Share]] = {}

    async def run(self) -> None:
        """Mine until cancelled."""
        async with asyncio.TaskGroup() as group:
            for each in self.connections:
                group.create_task(each.run())

    def on_share(self, share: Share) -> None:
        match self.ledger.take(share):
            case Deliver(share):
                self._shares[share.job].set_result(share)
            case Tell(verdict):
                self.offer({"verdict": verdict})
            case _:
                pass

    def tell_again(self) -> None:
        """What the worker may have missed: verdicts of late, and the jobs it should be working on."""
        for verdict in self.ledger.last_verdicts(len(self.connections)):
            self.offer({"verdict": verdict})
        for job in self.ledger.waiting():
            self.offer({"job": job.offer()})

    def begin(self, work: Work) -> tuple[Job, "asyncio.Future[Share]"]:
        now = now_ms()
        job = Job(f"{self.family}-{secrets.token_hex(6)}", work, now + int(self.settings.job_s * 1000) if now else 0)
        self.ledger.begin(job)
        self.difficulty = work.difficulty
        self._shares[job.id] = share = asyncio.get_running_loop().create_future()
        return job, share

    def forget(self, job: Job) -> None:
        """Its share is no longer waited for."""
        self._shares.pop(job.id).cancel()

    @property
    def trouble(self) -> str:
        """What a person should know, or ""."""
        return next((each.trouble for each in self.connections if each.trouble), "")


class Connection:
    """Keeps one connection with a pool while the worker is there. ``state``: one of the seed's letters: D disconnected,
    C connected, R job requested, J job with the worker, E result sent, G F the last result was good, was not."""

    def __init__(self, worker: Worker) -> None:
        self.state, self.place, self.trouble = "D", "", ""
        self.tier = worker.settings.tier
        self._worker, self._settings = worker, worker.settings
        self._failures = self._bads = 0
        self._asked: deque[float] = deque()  # when: each job has one share
        self._job: Job | None = None
        self._untold: dict[str, str] | None = None

    async def run(self) -> None:
        while True:
            await self._worker.present.wait()
            self.place = await self._worker.pools.choose()
            try:
                await self._mine()
            except PoolLost as error:
                self._on_lost(error)
            except BaseException:
                self._give_back("the gateway stops")
                raise
            if self._failures:
                limits = self._settings.retry_s, self._settings.retry_most_s
                await asyncio.sleep(retry_pause(self._failures, *limits, random.random()))

    async def _mine(self) -> None:
        await self._pause()  # before, because a pool does not wait long for the first request
        link = await PoolLink.open(self.place, self._settings.answer_s)
        self.state = "C"
        try:
            link.send(self._counted_request())
            joined = False
            while True:
                work = await self._next_work(link, joined)
                joined = await self._work(link, work)
        finally:
            self.state = "D"
            link.close()

    def _counted_request(self) -> bytes:
        self._asked.append(time.monotonic())
        settings = self._settings
        return wire.job_request_line(JobRequest(settings.user, self.tier, settings.key.get_secret_value()))

    async def _ask(self, link: PoolLink) -> None:
        await self._pause()
        link.send(self._counted_request())

    async def _pause(self) -> None:
        if pause := self._pause_s():
            self._tell_verdict()
            self._worker.waits.paced_ms += pause * 1000
            await asyncio.sleep(pause)

    def _pause_s(self) -> float:
        """Until a job may be asked for whose share keeps within the limit of any minute. A share that was found is
        never held back: the pool might be gone when it may be sent."""
        now = time.monotonic()
        while self._asked and self._asked[0] <= now - MINUTE_S:
            self._asked.popleft()
        return self._asked[0] + MINUTE_S - now if len(self._asked) >= self._settings.shares_per_minute else 0

    async def _next_work(self, link: PoolLink, joined: bool) -> Work:
        self.state, asked = "R", time.monotonic()
        settings = self._settings
        try:
            reply = await link.reply(settings.join_wait_s if joined else settings.answer_s)
        except TimeoutError:
            if not joined:
                raise PoolLost(f"no job within {settings.answer_s:g} s") from None
            self._worker.pools.keep_apart(self.place)
            await self._ask(link)
            return await self._next_work(link, False)
        if isinstance(reply, Verdict):
            raise PoolRefused(reply.why or f"a {reply.word} instead of a job")
        self._failures = 0
        if self._bads < BADS_IN_A_ROW:
            self.trouble = ""
        self._worker.waits.jobs += 1
        self._worker.waits.job_ms += (time.monotonic() - asked) * 1000
        most = self._worker.difficulty_most
        if reply.difficulty > most:
            self.tier = below(self.tier)
            raise GivenUp(f"difficulty {reply.difficulty} is more than the {most} of the worker")
        return reply

    async def _work(self, link: PoolLink, work: Work) -> bool:
        """Have it worked on; whether the next job was asked for together with the result."""
        worker = self._worker
        job, coming = worker.begin(work)
        self._job, self.state = job, "J"
        offer: dict[str, Any] = {"job": job.offer()}
        if self._untold is not None:
            offer["verdict"], self._untold = self._untold, None
        worker.offer(offer)
        try:
            share: Share = await link.until(coming)
        finally:
            worker.forget(job)
        if share.nonce == 0:
            raise GivenUp("the worker gave the job up")
        worker.hashrate = share.hashrate
        joined = worker.pools.joins(self.place) and self._settings.join and not self._pause_s()
        result = wire.result_line(Result(share.nonce, share.hashrate, self._settings.miner, worker.name, share.chip))
        link.send(result, *([self._counted_request()] if joined else []))
        self.state, sent = "E", time.monotonic()
        try:
            verdict = await link.reply(self._settings.answer_s)
        except TimeoutError:
            raise PoolLost(f"no verdict within {self._settings.answer_s:g} s") from None
        if isinstance(verdict, Work):
            raise PoolLost("a job instead of a verdict")
        worker.waits.verdicts += 1
        worker.waits.verdict_ms += (time.monotonic() - sent) * 1000
        self._on_verdict(job, verdict)
        if not joined:
            await self._ask(link)
        return joined

    def _on_verdict(self, job: Job, verdict: Verdict) -> None:
        self._job = None
        self._untold = self._worker.ledger.judged(job.id, verdict.word, verdict.why)
        self.state = "F" if verdict.word == "BAD" else "G"
        self._bads = self._bads + 1 if verdict.word == "BAD" else 0
        if verdict.why == wire.TOO_LOW_START and LADDER.index(self.tier) < LADDER.index(self._settings.tier_most):
            self.tier = above(self.tier)
        elif verdict.why == wire.TOO_HIGH_START:
            self.tier = below(self.tier)
        if self._bads >= BADS_IN_A_ROW:
            self.trouble = f"{self._worker.name}: pool {self.place} refuses share after share: {verdict.why}"
        elif not self._bads:
            self.trouble = ""

    def _on_lost(self, error: PoolLost) -> None:
        worker = self._worker
        self._give_back(str(error))
        if not worker.present.is_set():
            self._failures = 0  # a worker that went away lets its jobs run out: nobody's fault
            return
        self._failures += 1
        if not isinstance(error, GivenUp):
            worker.pools.failed(self.place)
        text = f"{worker.name}: pool {self.place}: {error}"
        log.log(logging.WARNING if self._failures == 1 else logging.INFO, "%s", text)
        if isinstance(error, PoolRefused) or self._failures >= FAILURES_IN_A_ROW:
            self.trouble = text

    def _tell_verdict(self) -> None:
        """Apart, where no job is there to go with it."""
        if self._untold is not None:
            self._worker.offer({"verdict": self._untold})
            self._untold = None

    def _give_back(self, why: str) -> None:
        """The worker hears that its job is void, and the verdict that waited for the next job."""
        worker = self._worker
        gone, self._job = self._job, None
        self._tell_verdict()
        if gone is not None:
            worker.offer({"verdict": worker.ledger.lose(gone.id, why)})
