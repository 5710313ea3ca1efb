"""Cases of every step: known inputs, and outputs that are calculated here, apart from the code under test.

CASES: step -> list of (options, fields, given, expected); given and expected are lists of [ts, value].
"""

import math
import random
import statistics
from collections.abc import Callable
from typing import Any

T = 1_700_000_000_000  # ms since 1970: more digits than a single-precision float has
dice = random.Random(3)
NOISE = [round(21.5 + dice.gauss(0, 2), 3) for _ in range(40)]
WHOLE = [dice.randrange(-500, 500) for _ in range(40)]
Case = tuple[dict[str, Any], list[Any], list[list[Any]], list[list[Any]]]
X = ["x"]


def at(values: list[Any], every: int = 100) -> list[list[Any]]:
    return [[T + i * every, value] for i, value in enumerate(values)]


def windows(statistic: Callable[[list[Any]], Any]) -> list[Case]:
    """A statistic over windows of a number, of a time with a day's silence, of both, and sliding."""
    cases: list[Case] = []
    for values in (NOISE, WHOLE):
        given = at(values)
        tumbling = [[given[i + 9][0], statistic(values[i : i + 10])] for i in range(0, 40, 10)]
        cases.append(({"count": 10}, X, given, tumbling))
        sliding = [[given[i][0], statistic(values[i - 3 : i + 1])] for i in range(3, 40)]
        cases.append(({"count": 4, "sliding": True}, X, given, sliding))
        # Five seconds hold 5 values of the first 20, then a day passes, then 5 again; the last window stays open.
        given = [[T + i * 1000 + (86_400_000 if i >= 20 else 0), value] for i, value in enumerate(values)]
        timed = [[given[i + 4][0], statistic(values[i : i + 5])] for i in range(0, 35, 5)]
        cases.append(({"window_ms": 5000}, X, given, timed))
        both = [[given[i + n - 1][0], statistic(values[i : i + n])] for b in range(0, 40, 5) for i, n in ((b, 3),)]
        rest = [[given[b + 4][0], statistic(values[b + 3 : b + 5])] for b in range(0, 35, 5)]
        cases.append(({"window_ms": 5000, "count": 3}, X, given, sorted(both + rest)))
        recent = [
            [ts, statistic([v for t, v in given[: i + 1] if t > ts - 3000][-50:])] for i, (ts, _) in enumerate(given)
        ]
        cases.append(({"window_ms": 3000, "count": 50, "sliding": True}, X, given, recent))
    return cases


def spread(values: list[Any]) -> float | None:
    return statistics.stdev(values) if len(values) > 1 else None


def pairs(*items: Any) -> list[list[Any]]:
    return [list(item) for item in items]


def kalman(values: list[float], q: float, r: float) -> list[float]:
    """The estimate as the least-squares weights of all measurements so far give it, found by brute force."""
    out: list[float] = []
    for n in range(1, len(values) + 1):
        # Covariance of the measurements as estimates of the newest state: noise, and the walk since each.
        # The first one stands for the prior, as certain as a measurement.
        size = n
        cov = [[(r if i == j else 0.0) + q * (n - 1 - max(i, j)) for j in range(size)] for i in range(size)]
        weights = solve(cov, [1.0] * size)
        out.append(sum(w * v for w, v in zip(weights, values, strict=False)) / sum(weights))
    return out


def solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    rows = [[*row, b] for row, b in zip(matrix, right, strict=True)]
    size = len(rows)
    for i in range(size):
        pivot = max(range(i, size), key=lambda k: abs(rows[k][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for k in range(size):
            if k != i:
                factor = rows[k][i] / rows[i][i]
                rows[k] = [a - factor * b for a, b in zip(rows[k], rows[i], strict=True)]
    return [rows[i][size] / rows[i][i] for i in range(size)]


def low_pass(values: list[float], shares: list[float]) -> list[float]:
    """Each value with its own weight times what all later ones leave of it."""
    out: list[float] = []
    for n in range(len(values)):
        weights = [
            (1.0 if i == 0 else shares[i]) * math.prod(1 - shares[k] for k in range(i + 1, n + 1)) for i in range(n + 1)
        ]
        out.append(sum(w * v for w, v in zip(weights, values, strict=False)))
    return out


AB = ["a", "b"]
BOUNCY = [0, 1, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0]
SPANS = [0, 10, 500, 20, 1000, 30, 30, 4000]
TIMES = [T + sum(SPANS[: i + 1]) for i in range(len(SPANS))]
CASES: dict[str, list[Case]] = {
    "mean": windows(lambda values: float(statistics.fmean(values))),
    "median": windows(statistics.median),
    "min": windows(min),
    "max": windows(max),
    "sum": [
        *windows(lambda values: math.fsum(values) if isinstance(values[0], float) else sum(values)),
        ({"count": 3}, X, at([T + 1, T + 2, T + 4]), [[T + 200, 3 * T + 7]]),  # times stay exact
    ],
    "count": windows(len),
    "stddev": [
        *windows(spread),
        ({"count": 4}, X, at([1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16]), [[T + 300, math.sqrt(30)]]),
    ],
    "select": [
        ({"fields": ["b"]}, AB, at([[1, 2], [3, 4.5]]), at([2, 4.5])),
        ({"fields": ["b", "a"]}, AB, at([[1, 2], [3, None]]), at([[2, 1], [None, 3]])),
        ({"fields": ["x"]}, X, at([1, 2]), at([1, 2])),
    ],
    "map": [
        ({"expression": ["+", ["*", "x", 1.8], 32]}, X, at(NOISE), at([v * 9 / 5 + 32 for v in NOISE])),
        ({"expression": ["-", "b", "a"]}, AB, at([[1, 2], [3, None], [5, 9]]), [[T, 1], [T + 200, 4]]),
        ({"expression": [">", "x", 21]}, X, at(NOISE), at([v > 21 for v in NOISE])),
    ],
    "filter": [
        (
            {"expression": ["and", [">=", "x", -100], ["<", "x", 100]]},
            X,
            at(WHOLE),
            [pair for pair in at(WHOLE) if -100 <= pair[1] < 100],
        ),
        ({"expression": ["<", "a", "b"]}, AB, at([[1, 2], [2, 1], [None, 3]]), [[T, [1, 2]]]),
    ],
    "delta": [({}, X, at(WHOLE), [[T + i * 100, WHOLE[i] - WHOLE[i - 1]] for i in range(1, 40)])],
    "rate": [
        ({}, X, at(WHOLE, 250), [[T + i * 250, (WHOLE[i] - WHOLE[i - 1]) * 4.0] for i in range(1, 40)]),
        # the same time twice is left out; a clock that was set back by an hour begins anew
        (
            {"per_ms": 60000},
            X,
            pairs((T, 0), (T, 7), (T + 30000, 1), (T - 3600000, 50), (T - 3599000, 51)),
            pairs((T + 30000, 2.0), (T - 3599000, 60.0)),
        ),
    ],
    "debounce": [
        ({"stable_ms": 200}, X, at(BOUNCY), pairs((T + 500, 1), (T + 1300, 0))),
        ({"stable_ms": 200}, X, at([True, True, True, True]), pairs((T + 200, True))),
        ({"stable_ms": 50}, X, pairs((T, 1), (T - 5000, 1), (T - 4951, 1), (T - 4950, 1)), pairs((T - 4950, 1))),
    ],
    "threshold": [
        (
            {"high": 30, "low": 20},
            X,
            at([25, 30, 25, 20.5, 20, 29.9, 31]),
            at([False, True, True, True, False, False, True]),
        ),
        ({"high": 30}, X, at([29, 30, 29]), at([False, True, False])),
        (
            {"high": 30, "low": 20, "changes": True},
            X,
            at([25, 30, 25, 20.5, 20, 29.9]),
            pairs((T, False), (T + 100, True), (T + 400, False)),
        ),
    ],
    "kalman": [
        (
            {"process_variance": q, "measurement_variance": r},
            X,
            at(NOISE[:12]),
            at(kalman(NOISE[:12], q, r)),
        )
        for q, r in ((0.01, 4.0), (2.0, 0.5), (1e-6, 1.0))
    ],
    "fir": [
        (
            {"taps": taps},
            X,
            at(NOISE),
            [
                [T + i * 100, math.fsum(tap * NOISE[i - k] for k, tap in enumerate(taps))]
                for i in range(len(taps) - 1, 40)
            ],
        )
        for taps in ([0.25, 0.5, 0.25], [1, -1], [0.1, 0.2, 0.3, 0.4, -0.5, 0.6, 0.7])
    ],
    "ema": [
        ({"alpha": 0.2}, X, at(NOISE), at(low_pass(NOISE, [0.2] * 40))),
        ({"alpha": 1}, X, at(WHOLE), at(WHOLE)),
        (
            {"time_constant_ms": 1000},
            X,
            [[ts, v] for ts, v in zip(TIMES, NOISE, strict=False)],
            [
                [ts, v]
                for ts, v in zip(TIMES, low_pass(NOISE[: len(SPANS)], [s / (1000 + s) for s in SPANS]), strict=True)
            ],
        ),
    ],
    "join": [
        # the newest of each in a frame, once per frame; a frame without one of them is dropped
        (
            {"frame_ms": 1000},
            [["a"], ["b"]],
            pairs((T, 1, 0), (T + 100, 2, 0), (T + 200, 3, 1), (T + 300, 4, 0), (T + 400, 5, 1), (T + 1000, 6, 1),
                  (T + 2000, 7, 1), (T + 2100, 8, 0)),
            pairs((T + 200, [2, 3]), (T + 2100, [8, 7])),
        ),
        # a late value still finds the frame before; two frames late it finds none
        (
            {"frame_ms": 1000},
            [["a"], ["b", "c"]],
            pairs((T, 1, 0), (T + 1000, 2, 0), (T + 900, [3, 4], 1), (T + 3000, 5, 0), (T + 1500, [6, 7], 1),
                  (T + 3200, [8, 9], 1)),
            pairs((T + 900, [1, 3, 4]), (T + 3200, [5, 8, 9])),
        ),
        (
            {"frame_ms": 1000, "missing": "none"},
            [["a"], ["b"]],
            pairs((T, 1, 0), (T + 10, 2, 1), (T + 1000, 3, 0), (T + 2000, 4, 0), (T + 3000, 5, 0), (T + 3001, 6, 1)),
            pairs((T + 10, [1, 2]), (T + 1000, [3, None]), (T + 3001, [5, 6])),
        ),
        (
            {"frame_ms": 1000, "missing": "last"},
            [["a"], ["b"]],
            pairs((T, 1, 0), (T + 10, 2, 1), (T + 1000, 3, 0), (T + 2000, 4, 0), (T + 3000, 5, 0)),
            pairs((T + 10, [1, 2]), (T + 1000, [3, 2])),
        ),
        # a clock that was set back by an hour begins anew
        (
            {"frame_ms": 1000},
            [["a"], ["b"]],
            pairs((T, 1, 0), (T - 3600000, 2, 0), (T - 3600000, 3, 1)),
            pairs((T - 3600000, [2, 3])),
        ),
    ],
    "pass": [
        ({}, X, at(NOISE), at(NOISE)),
        ({}, AB, at([[1, 2], [None, 3]]), at([[1, 2], [None, 3]])),
    ],
}  # fmt: skip

# step -> wrong options, and how the message begins
WRONG: dict[str, list[tuple[dict[str, Any], str]]] = {
    **{
        name: [
            ({}, "count: must be given"),
            ({"count": 2.5}, "count: must be a whole number"),
            ({"count": True}, "count: must be a whole number"),
            ({"window_ms": -1}, "window_ms: must be a whole number"),
            ({"window_ms": 100, "sliding": True}, "count: must be from 1 to 1000"),
            ({"count": 5, "sliding": 1}, "sliding: must be true or false"),
            ({"size": 5}, "size: unknown option; allowed: count, sliding, window_ms"),
        ]
        for name in ("mean", "median", "min", "max", "sum", "count", "stddev")
    },
    "select": [
        ({}, "fields: must be given"),
        ({"fields": ["y"]}, "fields: has an unknown field; there are: x"),
        ({"fields": "x"}, "fields: must be a list"),
        ({"fields": ["x", "x"]}, "fields: must be a list of different"),
    ],
    "map": [
        ({}, "expression: must be given"),
        ({"expression": ["+", 1]}, "expression: + takes 2 or more, not 1 arguments"),
        ({"expression": 1, "digits": 1.5}, "digits: must be a whole number"),
        ({"expression": 1, "field": 3}, "field: must match [A-Za-z0-9_-]{1,64}"),
        ({"expression": 1, "field": ""}, "field: must match"),
        ({"expression": 1, "unit": "parsec"}, "unit: unit parsec is not allowed; use one of: % °C"),
        ({"expression": 1, "unit": None}, "unit: unit None is not allowed"),
    ],
    "filter": [({}, "expression: must be given"), ({"expression": ["!", "x"]}, "expression.0: unknown operator")],
    "delta": [({"count": 1}, "count: unknown option; allowed: none")],
    "rate": [({"per_ms": 0}, "per_ms: must be a whole number")],
    "debounce": [({}, "stable_ms: must be given"), ({"stable_ms": "1"}, "stable_ms: must be a whole number")],
    "threshold": [
        ({}, "high: must be given"),
        ({"high": 1, "low": 2}, "low: must not be above high"),
        ({"high": "1"}, "high: must be a number"),
        ({"high": 1, "changes": 0}, "changes: must be true or false"),
    ],
    "kalman": [
        ({"process_variance": 1}, "measurement_variance: must be given"),
        ({"process_variance": 0, "measurement_variance": 1}, "process_variance: must be above 0"),
    ],
    "fir": [
        ({}, "taps: must be given"),
        ({"taps": []}, "taps: must be a list"),
        ({"taps": [True]}, "taps: must be a n"),
    ],
    "ema": [
        ({}, "alpha: must be given, or time_constant_ms, and not both"),
        ({"alpha": 0.1, "time_constant_ms": 1}, "alpha: must be given, or time_constant_ms, and not both"),
        ({"alpha": 1.1}, "alpha: must be above 0 and at most 1"),
        ({"time_constant_ms": 0}, "time_constant_ms: must be a whole number"),
    ],
    "join": [
        ({}, "frame_ms: must be given"),
        ({"frame_ms": 100, "missing": "x"}, "missing: must be drop, none or last"),
    ],
    "pass": [({"x": 1}, "x: unknown option; allowed: none")],
}
