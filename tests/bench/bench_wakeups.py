"""node.wakeups.*: wake-ups per hour of the node's scheduler for mixes of intervals, and with `early` tasks.

Bars, computed here in other ways, over the same hyperperiods (so that equal means equal): without `early` the size of
the union of the intervals' multiples, by inclusion and exclusion over least common multiples, the least for any phases
(Rogers' theorem); with it the fewest points that stab all windows, which must round to the issue's table.

Peer: ThingFlow's MicroPython scheduler, by its published rule, because PyPI's `thingflow` does not contain it: ticks
of 10 ms; tasks of one interval run together; a new interval starts with the smallest known one that divides it or is a
multiple of it, else at once; what is due moves on by one interval. Tasks join at random times within two minutes, as
they do where each starts when its sensor answers; the figure is the mean of 200 such starts, once all have begun.
"""

import random
from itertools import combinations
from math import lcm
from statistics import mean

from esp_node.scheduler import Scheduler
from tests.bench.figures import Benchmark, Figure, seconds

# Intervals in s; then the table's wake-ups per hour with 5, 10 and 25 % early.
MIXES: dict[tuple[int, ...], tuple[int, int, int]] = {
    (30, 45, 60, 7): (623, 577, 514),
    (30, 45, 60): (160, 160, 160),
    (10, 15, 60, 300): (480, 480, 480),
    (60, 300, 900, 3600): (60, 60, 60),
    (5, 7, 11, 13): (1528, 1368, 1003),
    (1, 5, 30, 60): (3600, 3600, 3600),
    (20, 30, 50, 70, 110): (285, 278, 240),
    (45, 60, 90, 120): (120, 120, 100),
    (60,) * 8: (60, 60, 60),
}
EARLY = (5, 10, 25)
HOUR = 3600
TICK = 100  # per s
JOINS = 120 * TICK
STARTS = 200


def name_of(mix: tuple[int, ...], early: int = 0) -> str:
    """`node.wakeups.30-45-60-7`, `node.wakeups.8x60`, with `.early-25` behind it for 25 %."""
    alike = len(set(mix)) == 1 and len(mix) > 1
    name = f"{len(mix)}x{mix[0]}" if alike else "-".join(map(str, mix))
    return f"node.wakeups.{name}" + (f".early-{early}" if early else "")


def span(mix: tuple[int, ...]) -> int:
    """Seconds of the whole hyperperiods that fill at least ten hours; in the short run, one hour."""
    cycle = lcm(*mix)
    return -(-int(seconds(10 * HOUR)) // cycle) * cycle


def measured(mix: tuple[int, ...], early: int) -> float:
    """Wake-ups per hour of our scheduler on a virtual clock; none may come up with nothing to do."""
    scheduler, now, count = Scheduler(_fail), 0, 0
    for interval in mix:
        scheduler.every(interval * 1000, _nothing, early=early / 100)
    scheduler.due(now)
    while (now := scheduler.next_wake(now) or 0) <= span(mix) * 1000:
        if not scheduler.due(now):
            raise RuntimeError(f"woke at {now} ms for nothing")
        scheduler.run_due(now)
        count += 1
    return count * HOUR / span(mix)


def least(mix: tuple[int, ...]) -> float:
    """Wake-ups per hour at the multiples of the intervals, each moment counted once."""
    kinds = sorted(set(mix))
    count = sum(
        (-1) ** (size + 1) * span(mix) // lcm(*some)
        for size in range(1, len(kinds) + 1)
        for some in combinations(kinds, size)
    )
    return count * HOUR / span(mix)


def fewest(mix: tuple[int, ...], early: int) -> float:
    """Points per hour that stab all windows [end - early % of the interval, end]: ends in order, each window that no
    point lies in yet gets one at its end. In hundredths of a second, because percent of whole seconds are.
    """
    windows = sorted((end * 100, i * early) for i in set(mix) for end in range(i, span(mix) + 1, i))
    count, last = 0, -1
    for end, width in windows:
        if last < end - width:
            last, count = end, count + 1
    return count * HOUR / span(mix)


def thingflow(mix: tuple[int, ...], dice: random.Random) -> float:
    """Wake-ups in one hour by ThingFlow's rule, once all tasks have joined."""
    joins = sorted((dice.randrange(JOINS), interval * TICK) for interval in mix)
    planned: dict[int, int] = {}
    wakes: set[int] = set()
    now, begin = 0, JOINS + 2 * max(mix) * TICK
    end = begin + HOUR * TICK
    while now < end:
        joining = joins[0][0] if joins else end
        now = min([joining, *planned.values()])
        if now == joining and joins:
            interval = joins.pop(0)[1]
            related = [each for each in sorted(planned) if each % interval == 0 or interval % each == 0]
            planned.setdefault(interval, planned[related[0]] if related else now)
        due = [interval for interval, at in planned.items() if at <= now]
        for interval in due:
            planned[interval] += interval
        if due and begin <= now < end:
            wakes.add(now)
    return len(wakes)


def wakeups() -> dict[str, float]:
    """All mixes, with every allowance."""
    values: dict[str, float] = {}
    dice = random.Random(7)
    for mix in MIXES:
        values[name_of(mix)] = measured(mix, 0)
        values[f"{name_of(mix)}/peer"] = mean(thingflow(mix, dice) for _ in range(int(seconds(STARTS))))
        for early in EARLY:
            values[name_of(mix, early)] = measured(mix, early)
    return values


def _nothing() -> None:
    pass


def _fail(_task: object, error: Exception) -> None:
    raise error


def benchmarks() -> list[Benchmark]:
    figures: list[Figure] = []
    for mix, table in MIXES.items():
        figures.append(Figure(name_of(mix), "/h", "lower", least(mix), "ThingFlow's rule"))
        for early, known in zip(EARLY, table, strict=True):
            bar = fewest(mix, early)
            if round(bar) != known:
                raise RuntimeError(f"{name_of(mix, early)}: the optimum {bar} is not the table's {known}")
            figures.append(Figure(name_of(mix, early), "/h", "lower", bar))
    return [Benchmark(tuple(figures), wakeups, runs=1)]
