"""What counters have gained that begin again at 0 when their owner does. Pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Figures(NamedTuple):
    """Figures of one time: field -> (least, most) of what was measured from `ts` (ms since 1970) on."""

    ts: int
    fields: dict[str, tuple[float, float]]


def fell(before: Figures, after: Figures) -> bool:
    """Whether a counter may have begun again between both, or inside the second."""
    return any(
        least < before.fields[field][1] or least == 0 < most
        for field, (least, most) in after.fields.items()
        if field in before.fields
    )


def gained(figures: Sequence[Figures], field: str) -> list[tuple[int, float]]:
    """(ts, increase) of each; their sum is what was counted since the first value of all.

    Exact from single values, and where no counter began again. A restart inside of figures hides what came between
    the last of them and the restart; a second one inside of the same is not seen.
    """
    known = [(ts, *fields[field]) for ts, fields in figures if field in fields]
    found: list[tuple[int, float]] = []
    last: float | None = None
    for number, (ts, least, most) in enumerate(known):
        following = known[number + 1][1] if number + 1 < len(known) else None
        if last is None:
            gain, last = most - least, most
        elif least >= last:
            gain, last = most - last, most
        elif most < last or (following is not None and most <= following):
            gain, last = most, most  # all of it was counted after the restart
        else:
            gain, last = most - last + least, least
        found.append((ts, gain))
    return found


def per_step(figures: Sequence[Figures], fields: Iterable[str], step: int, since: int) -> dict[int, dict[str, float]]:
    """Begin of the step (ms) -> field -> increase, from `since` on. What is before only tells where the counters
    stood."""
    found: dict[int, dict[str, float]] = {}
    for field in fields:
        for ts, gain in gained(figures, field):
            if ts >= since:
                row = found.setdefault(ts // step * step, {})
                row[field] = row.get(field, 0.0) + gain
    return found
