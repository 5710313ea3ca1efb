"""What miners and ASICs did over time: mean hash rate, energy, shares. Pure; from down-sampled figures.

A gap is a gap: energy and hashes are of the time in which figures came, and `covered_pct` says how much that was.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from commander.effects import Row
from commander.mining.counters import Figures, gained
from commander.mining.machines import MOST_ALGORITHMS
from commander.mining.rigs import MOST

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
_ENDS = ("", *(f"_{place}" for place in range(2, MOST_ALGORITHMS + 1)))
COUNTED = ("accepted", "rejected", "stale")
COUNTERS = tuple(name + end for name in COUNTED for end in _ENDS)
J_PER_KWH = 3_600_000


class Span(NamedTuple):
    """Figures of one minute or hour: from `ts` (ms since 1970), heard for `heard_s` seconds of it; field -> (count,
    least, mean, most) of the samples."""

    ts: int
    heard_s: float
    fields: Mapping[str, Sequence[float]]


def per_step(spans: Sequence[Span], counts: Sequence[Figures], step: int, since: int, until: int) -> list[Row]:
    """A row for each step (ms) that begins from `since` to `until` and of which anything is known, oldest first.

    ``counts``: figures of the counters, by time, the first one before `since` if there is one: see counters.py.
    ``hashrate`` (of the first algorithm), ``power``, ``temp``: means of the time covered; H/s, W, °C. ``hashes``: of
    the first algorithm. ``temp_max``: °C.
    """
    by_begin: dict[int, list[Span]] = {}
    for span in spans:
        if since <= span.ts < until:
            by_begin.setdefault(span.ts // step * step, []).append(span)
    gains = _gains(counts, step, since)
    nothing = dict.fromkeys(COUNTED, 0)
    return [
        {"ts": begin, **(nothing | gains.get(begin, {})), **_of_step(by_begin.get(begin, []), min(step, until - begin))}
        for begin in sorted(by_begin.keys() | gains.keys())
    ]


def totals(rows: Iterable[Row]) -> Row:
    """Sums of rows of one machine, or of some."""
    found: Row = {**dict.fromkeys(COUNTED, 0), "hashes": 0.0, "kwh": None, "heard_s": 0.0}
    for row in rows:
        for name in (*COUNTED, "hashes", "heard_s"):
            found[name] += row[name] or 0
        if row["kwh"] is not None:
            found["kwh"] = (found["kwh"] or 0.0) + row["kwh"]
    return {**found, "kwh": rounded(found["kwh"]), "hashes": rounded(found["hashes"])}


def rounded(value: float | None) -> float | None:
    """Six digits: more would only look exact."""
    return None if value is None else float(f"{value:.6g}")


def _gains(counts: Sequence[Figures], step: int, since: int) -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = {}
    for field in COUNTERS:
        name = field.partition("_")[0]
        for ts, gain in gained(counts, field):
            if ts >= since:
                row = found.setdefault(ts // step * step, dict.fromkeys(COUNTED, 0))
                row[name] += int(min(gain, MOST))
    return found


def _of_step(spans: list[Span], ms: int) -> Row:
    heard = sum(span.heard_s for span in spans)
    hashes, hashed_s = _integral(spans, "hashrate")
    joules, powered_s = _integral(spans, "power")
    degrees, warm_s = _integral(spans, "temp")
    return {
        "hashrate": rounded(hashes / hashed_s) if hashed_s else None,
        "hashes": rounded(hashes),
        "power": rounded(joules / powered_s) if powered_s else None,
        "kwh": rounded(joules / J_PER_KWH) if powered_s else None,
        "temp": rounded(degrees / warm_s) if warm_s else None,
        "temp_max": max((span.fields["temp"][3] for span in spans if "temp" in span.fields), default=None),
        "heard_s": heard,
        "covered_pct": round(min(100.0, 100_000 * heard / ms), 1) if ms > 0 else 0.0,
    }


def _integral(spans: list[Span], field: str) -> tuple[float, float]:
    """(sum of mean x seconds, seconds) over the time in which the field was told."""
    total = seconds = 0.0
    for span in spans:
        figures = span.fields.get(field)
        if figures:
            most = max(each[0] for each in span.fields.values())
            told_s = span.heard_s * figures[0] / most if most else 0.0
            total, seconds = total + figures[2] * told_s, seconds + told_s
    return total, seconds
