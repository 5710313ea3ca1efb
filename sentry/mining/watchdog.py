"""The watchdog's rules: what is looked at, since when it is wrong, what is done. Pure; it needs no network.

`watch` is a WATCH of schema/playbooks.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from schema.message import Invalid
from sentry.mining.figures import Figures

HOUR_S = 3600.0
PER_HOUR = 3
LEAST_SHARES = 10
REJECTS_OVER_S = 600.0
UNITS = {
    "hashrate": "H/s", "gpus": "cards", "temperature": "°C", "mem_temperature": "°C", "rejects": "%", "power": "W",
    "silence": "s",
}  # fmt: skip
Watch = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at a miner. ``figures``: None when it did not answer; ``silent_s``: s since it last did; ``since``:
    accepted and rejected shares at an older look at the same run, from which rejects are counted."""

    figures: Figures | None
    silent_s: float = 0.0
    since: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Memory:
    """Of one rule. ``since``: when it began to be wrong, s; ``raised``: whether its alert stands; ``limited``: whether
    that says that no more is done."""

    since: float | None = None
    raised: bool = False
    limited: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """``alert``: its text, "" clears it; ``deed``: what shall be done now, or ""."""

    alert: str
    deed: str = ""


def check_watch(watch: Watch) -> None:
    """Invalid unless it says what is wrong."""
    bounds = [name for name in ("below", "above") if name in watch]
    if len(bounds) > 1:
        raise Invalid("watchdog.below", "either this or `above`, not both")
    if not bounds and watch["watch"] not in ("gpus", "silence"):
        raise Invalid("watchdog.below", f"this or `above` must be given for {watch['watch']}")


def value_of(watch: Watch, seen: Seen) -> float | None:
    """What the rule looks at, in the unit of UNITS; None: not known now."""
    figures = seen.figures
    if watch["watch"] == "silence":
        return seen.silent_s
    if figures is None or figures.extra.get("incomplete"):  # of an answer that was cut off, cards and sums lack
        return None
    match watch["watch"]:
        case "hashrate":
            return figures.hashrate
        case "gpus":
            return float(sum(card.hashrate != 0 for card in figures.cards if not card.processor))
        case "temperature":
            return max((card.temp for card in figures.cards if card.temp is not None), default=None)
        case "mem_temperature":
            return max((card.mem_temp for card in figures.cards if card.mem_temp is not None), default=None)
        case "power":
            return figures.power
        case _:
            return _rejects(shares(figures), seen.since)


def is_wrong(watch: Watch, value: float, gpus: int) -> bool:
    """``gpus``: how many cards the miner shall use, for a rule that names no number."""
    if "above" in watch:
        return value > watch["above"]
    if watch["watch"] == "silence":
        return value > watch.get("below", 0)
    return value < watch.get("below", gpus)


def judge(
    watch: Watch, memory: Memory, value: float | None, now: float, gpus: int, deeds: int
) -> tuple[Memory, Verdict | None]:
    """``deeds``: how often this rule has acted in the last hour. None: nothing to say. After a deed it must be wrong
    for as long once more."""
    if value is None:
        return memory, None
    if not is_wrong(watch, value, gpus):
        return Memory(), Verdict("") if memory.raised else None
    since = now if memory.since is None else memory.since
    if now - since < watch["for_s"]:
        return replace(memory, since=since), None
    text = _text(watch, value, gpus)
    deed: str = watch["act"]
    if deed == "alert":
        return Memory(since, True), None if memory.raised else Verdict(text)
    most = watch.get("per_hour", PER_HOUR)
    if deeds >= most:
        verdict = Verdict(f"{text}; {deed} was done {most} times within an hour, which is all that is allowed")
        return Memory(since, True, True), None if memory.limited else verdict
    return Memory(now, True), Verdict(f"{text}; {deed}", deed)


def _text(watch: Watch, value: float, gpus: int) -> str:
    name, unit = watch["watch"], UNITS[watch["watch"]]
    if name == "silence":
        return f"no answer for {value:.0f} s"
    which: Literal["above", "below"] = "above" if "above" in watch else "below"
    bound = watch.get(which, gpus)
    return f"{name} {value:g} {unit} is {which} {bound:g} {unit} for {watch['for_s']} s"


def shares(figures: Figures) -> tuple[int, int]:
    """Accepted and rejected, of all algorithms."""
    accepted = sum(each.accepted or 0 for each in figures.algorithms)
    return accepted, sum(each.rejected or 0 for each in figures.algorithms)


def _rejects(now: tuple[int, int], since: tuple[int, int]) -> float | None:
    """% of the shares in between; None until there are enough to tell."""
    accepted, rejected = now[0] - since[0], now[1] - since[1]
    if min(accepted, rejected) < 0 or accepted + rejected < LEAST_SHARES:
        return None
    return 100 * rejected / (accepted + rejected)
