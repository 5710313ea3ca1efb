"""What has changed between two looks at an ASIC, in words for its log and its events. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from sentry.mining.figures import Algorithm, Figures, state_of

RESTART_S = 5  # an uptime may be a little behind from one answer to the next
REJECTS_PCT = 5.0


@dataclass(frozen=True, slots=True)
class Look:
    """``figures``: None while it does not answer, ``problem`` says why; ``rejects``: % of the last minutes' shares,
    None: not known."""

    figures: Figures | None
    problem: str = ""
    rejects: float | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """``what``: a word for programs; ``level``: as in a log; ``text``: for people."""

    what: str
    level: str
    text: str


def changes(before: Look | None, now: Look) -> list[Change]:
    """``before``: None at the first look, at which only what is wrong is told."""
    if now.figures is None:
        if before is None or before.figures is not None:
            return [Change("offline", "error", now.problem or "no answer")]
        return []
    found = list(_faults(before, now.figures))
    if before is None:
        return found
    if before.figures is None:
        return [Change("online", "info", f"answers again, {_said(now.figures)}"), *found]
    return [*_between(before.figures, now.figures), *_rejects(before, now), *found]


def _between(before: Figures, now: Figures) -> Iterator[Change]:
    if before.uptime_s is not None and now.uptime_s is not None and now.uptime_s + RESTART_S < before.uptime_s:
        yield Change("restarted", "warning", f"started anew after {before.uptime_s} s")
    hashed, hashes = state_of(True, before) == "online", state_of(True, now) == "online"
    if hashed and not hashes:
        yield Change("not-hashing", "error", "answers, but does not hash")
    if hashes and not hashed:
        yield Change("hashing", "info", f"hashes, {_said(now)}")
    if hashed and hashes:
        yield from _boards(_hashing(before), _hashing(now))
    old, new = _first(before), _first(now)
    if old.pool != new.pool and new.pool:
        yield Change("pool", "warning", f"pool is {new.pool}, was {old.pool or 'none'}")
    if old.user != new.user and old.user and new.user:
        yield Change("user", "warning", f"mines for {new.user}, before for {old.user}")
    for name in ("model", "firmware"):
        if before.extra.get(name) and now.extra.get(name) and before.extra[name] != now.extra[name]:
            yield Change(name, "warning", f"{name} is {now.extra[name]}, was {before.extra[name]}")


def _boards(before: list[str], now: list[str]) -> Iterator[Change]:
    for name in before:
        if name not in now:
            yield Change("board-lost", "error", f"{name} does not hash any more: {len(now)} of {len(before)} do")
    for name in now:
        if name not in before:
            yield Change("board-back", "info", f"{name} hashes: {len(now)} boards do")


def _rejects(before: Look, now: Look) -> Iterator[Change]:
    many, were = ((look.rejects or 0) > REJECTS_PCT for look in (now, before))
    if many and not were:
        yield Change("rejects", "warning", f"{now.rejects:.1f} % of the shares are rejected")
    if were and now.rejects is not None and not many:
        yield Change("rejects-over", "info", f"{now.rejects:.1f} % of the shares are rejected")


def _faults(before: Look | None, now: Figures) -> Iterator[Change]:
    """What the ASIC itself complains of."""
    old = str(before.figures.extra.get("fault") or "") if before and before.figures else ""
    new = str(now.extra.get("fault") or "")
    if new and new != old:
        yield Change("fault", "warning", new)
    if old and not new:
        yield Change("fault-over", "info", f"no more: {old}")


def _first(figures: Figures) -> Algorithm:
    return figures.algorithms[0] if figures.algorithms else Algorithm("", None)


def _hashing(figures: Figures) -> list[str]:
    """Names of the boards that hash; each name once."""
    return list(dict.fromkeys(card.name for card in figures.cards if (card.hashrate or 0) > 0))


def _said(figures: Figures) -> str:
    rate = figures.hashrate
    return "hash rate unknown" if rate is None else f"{rate / 1e12:.2f} TH/s"
