"""Which jobs of one worker wait for a share, and what became of the others. Pure.

MQTT delivers at least once, a pool must get a result at most once: the ledger is where the two meet.
"""

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import Any

from sentry.mining.duco_wire import Work

REMEMBERED = 500
UNKNOWN = "no such job here, or not any more"


@dataclass(frozen=True, slots=True)
class Share:
    """``hashrate``: H/s; ``nonce`` 0: the worker gave the job up."""

    job: str
    nonce: int
    hashrate: float
    chip: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """``until``: ms since 1970, 0 when the clock is not set; ``nonce``: of the share that has come, 0 when that gave
    the job up, None while it is waited for."""

    id: str
    work: Work
    until: int
    nonce: int | None = None

    def offer(self) -> dict[str, Any]:
        work = self.work
        fields = {"last": work.last, "target": work.target, "difficulty": work.difficulty, "until": self.until}
        return {"id": self.id, **fields}


@dataclass(frozen=True, slots=True)
class Deliver:
    """The first share of an open job: to the pool with it."""

    share: Share


@dataclass(frozen=True, slots=True)
class Tell:
    """The worker shall hear this verdict (again)."""

    verdict: dict[str, str]


@dataclass(frozen=True, slots=True)
class Pending:
    """The pool has this share; its verdict will come."""


@dataclass
class Figures:
    """Counted since the start. ``lost``: shares that no pool judged; ``void``: jobs that ended without a share;
    ``repeated``: deliveries of a share that was there before."""

    jobs: int = 0
    accepted: int = 0
    blocks: int = 0
    refused: int = 0
    lost: int = 0
    void: int = 0
    repeated: int = 0


@dataclass
class Ledger:
    figures: Figures = field(default_factory=Figures)
    open: dict[str, Job] = field(default_factory=dict[str, Job])
    # job -> (verdict, whether a share of it has come)
    _settled: OrderedDict[str, tuple[dict[str, str], bool]] = field(
        default_factory=OrderedDict[str, tuple[dict[str, str], bool]]
    )

    def begin(self, job: Job) -> None:
        self.open[job.id] = job
        self.figures.jobs += 1

    def take(self, share: Share) -> Deliver | Tell | Pending:
        """What to do about a share that has come."""
        job = self.open.get(share.job)
        if job is not None:
            if job.nonce is not None:
                self.figures.repeated += 1
                return Pending()
            self.open[share.job] = replace(job, nonce=share.nonce)
            return Deliver(share)
        verdict, shared = self._settled.get(share.job, (_verdict(share.job, "LOST", UNKNOWN), False))
        if shared:
            self.figures.repeated += 1
        else:
            self.figures.lost += 1
            self._remember(share.job, verdict, True)
        return Tell(verdict)

    def judged(self, job_id: str, word: str, why: str = "") -> dict[str, str]:
        """The pool's verdict (GOOD, BLOCK, BAD) on a share that it was sent."""
        self.figures.accepted += word != "BAD"
        self.figures.blocks += word == "BLOCK"
        self.figures.refused += word == "BAD"
        return self._settle(job_id, word, why)

    def lose(self, job_id: str, why: str) -> dict[str, str]:
        """No pool takes the share of this job any more, or nobody knows whether one did."""
        found = bool(self.open[job_id].nonce)
        self.figures.lost += found
        self.figures.void += not found
        return self._settle(job_id, "LOST", why)

    def waiting(self) -> list[Job]:
        """Open jobs whose share has not come, oldest first."""
        return [job for job in self.open.values() if job.nonce is None]

    def last_verdicts(self, most: int) -> list[dict[str, str]]:
        """The newest verdicts, oldest first."""
        return [verdict for verdict, _ in list(self._settled.values())[-most:]]

    def _settle(self, job_id: str, word: str, why: str) -> dict[str, str]:
        job = self.open.pop(job_id)
        verdict = _verdict(job_id, word, why)
        self._remember(job_id, verdict, job.nonce is not None)
        return verdict

    def _remember(self, job_id: str, verdict: dict[str, str], shared: bool) -> None:
        self._settled[job_id] = (verdict, shared)
        while len(self._settled) > REMEMBERED:
            self._settled.popitem(last=False)


def _verdict(job_id: str, word: str, why: str) -> dict[str, str]:
    return {"id": job_id, "word": word, **({"why": why[:256]} if why else {})}
