"""What a pool thinks of a result. Pure: the clock and the dice come from outside."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha1

from schema.mining import NONCES_PER_DIFFICULTY
from sentry.mining import duco_wire as wire
from sentry.mining.duco_tiers import TIERS, Tier, above, below
from sentry.mining.duco_wire import Result, Verdict, Work

MEASURABLE_S = 0.5
MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Rules:
    """``shares_per_minute``: of one connection; ``modified_pct``: how far the reported hash rate may be from the
    measured one; ``most_workers``: connections of one user; ``block_every``: one accepted share of so many, by chance,
    is a block. 0 switches each of these off. ``ladder``: workers must be in the tier of their hash rate.
    """

    tiers: Mapping[str, Tier] = field(default_factory=lambda: TIERS)
    shares_per_minute: int = 80
    modified_pct: float = 0
    most_workers: int = 0
    block_every: int = 0
    ladder: bool = False
    banned: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Given:
    """A job as the pool remembers it; ``sent``: seconds, by the clock that the verdict uses."""

    work: Work
    nonce: int
    tier: str
    sent: float


def digest(last: str, nonce: int) -> str:
    """DUCO-S1: 40 hex digits."""
    return sha1(f"{last}{nonce}".encode(), usedforsecurity=False).hexdigest()


def new_job(last: str, tier: str, rules: Rules, chance: float, now: float) -> Given:
    """``chance``: 0 <= chance < 1 draws the nonce, from 1 to 100 * difficulty."""
    difficulty = rules.tiers[tier].difficulty
    nonce = 1 + int(chance * NONCES_PER_DIFFICULTY * difficulty)
    return Given(Work(last, digest(last, nonce), difficulty), nonce, tier, now)


def may_work(rules: Rules, user: str, workers: int) -> Verdict | None:
    """The refusal of a job, or None; ``workers``: connections of that user, with this one."""
    if not user:
        return Verdict("BAD", wire.NO_USER)
    if user in rules.banned:
        return Verdict("BAD", wire.BANNED)
    if rules.most_workers and workers > rules.most_workers:
        return Verdict("BAD", wire.TOO_MANY_WORKERS)
    return None


def judge(
    rules: Rules, given: Given, result: Result, recent: deque[float], chance: float, now: float
) -> tuple[Verdict, str]:
    """The verdict, and the tier of the next job. ``recent``: when this connection's results of the last minute came
    (this one is added); ``chance``: 0 <= chance < 1 decides on a block.
    """
    while recent and recent[0] <= now - MINUTE_S:
        recent.popleft()
    recent.append(now)
    if result.hashrate <= 0:
        return Verdict("BAD", wire.INVALID_DATA), given.tier
    if result.nonce != given.nonce:
        return Verdict("BAD", wire.INCORRECT_RESULT), given.tier
    if rules.shares_per_minute and len(recent) > rules.shares_per_minute:
        return Verdict("BAD", wire.TOO_MANY_SHARES), given.tier
    if _is_modified(rules, given, result, now):
        return Verdict("BAD", wire.MODIFIED_HASHRATE), given.tier
    tier = rules.tiers[given.tier]
    if rules.ladder and result.hashrate >= tier.most:
        return Verdict("BAD", wire.TOO_LOW_START), above(given.tier)
    if rules.ladder and result.hashrate < tier.least:
        return Verdict("BAD", wire.TOO_HIGH_START), below(given.tier)
    is_block = bool(rules.block_every) and chance * rules.block_every < 1
    return Verdict("BLOCK" if is_block else "GOOD"), given.tier


def _is_modified(rules: Rules, given: Given, result: Result, now: float) -> bool:
    """Reported against measured, where the time was long enough to measure it."""
    took = now - given.sent
    if not rules.modified_pct or took < MEASURABLE_S:
        return False
    measured = given.nonce / took
    return abs(result.hashrate - measured) > measured * rules.modified_pct / 100
