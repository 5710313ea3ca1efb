"""duco.*: how much of their time the slaves of a rig hash, and what the rest goes to. The shipped firmware in a
simulation, the master (the node in MicroPython; .smbus2: the sentry), Mosquitto, gateway and pool, see mine.py.

Peer: the session that the seed prints: 32,951 ms of hashing beside 17,687 ms of waiting for jobs and 20,686 ms for
verdicts.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

from schema import i2c
from tests.bench.figures import SHORT, Benchmark, Figure, seconds
from tests.bench.mine import Mine, Work, built_node, measure

SEED_BUSY = 100 * 32_951 / (32_951 + 17_687 + 20_686)
POOL_MS = 700
PUBLIC_SHARES_PER_MINUTE = 75  # what a gateway keeps to, a little below what a pool allows
FASTEST, SEEDS_RATE = 3900, 194  # H/s
LONG_MS = 1000  # after a job that took so long, the next is in hand
BITS_OF_START_AND_STOP = 2 + 4  # and what the simulator leaves between two messages

D10 = Mine(difficulty=10, pace=SEEDS_RATE, delay_ms=POOL_MS)
# Three slaves that hash all the time are more than a machine of two cores simulates in real time. Slow motion doubles
# the master's looks at them, by some 2 ms of bus time a job.
D500 = Mine(difficulty=500, delay_ms=POOL_MS, slow=2)
AT_ONCE = Mine(difficulty=10, pace=SEEDS_RATE, delay_ms=0)
ALONE = Mine(difficulty=10, pace=SEEDS_RATE, delay_ms=POOL_MS, connections=1)
# The simulator is slower than the wire, so that its own time would count in the gap.
ALONE_SLOWLY = replace(ALONE, slaves=1, difficulty=2, slow=8)

MASTERS = {"node": "", "sentry": ".smbus2"}
SLOW = {1: 1, 3: 1, 8: 2, 16: 4}  # what two cores can simulate
TABLE = [
    *(replace(D10, slaves=n, delay_ms=ms, slow=slow) for n, slow in SLOW.items() for ms in (100, 700, 1500)),
    *(replace(ALONE, slaves=n, slow=slow) for n, slow in SLOW.items()),
    replace(D10, pace=0, slow=4),
    *(replace(D10, master="sentry", slaves=n, slow=slow) for n, slow in SLOW.items()),
]


def figures(master: str) -> tuple[Figure, ...]:
    end, seed = MASTERS[master], "the seed's session, printed"
    return (
        Figure(f"duco.busy.d10{end}", "%", "higher", 95, seed),
        Figure(f"duco.busy.d500{end}", "%", "higher", 95, seed),
        Figure(f"duco.idle_ms{end}", "ms", "lower", 15, seed),
        Figure(f"duco.idle_ms.one{end}", "ms beyond the pool's", "lower", 15),
        Figure(f"duco.bus_ms{end}", "ms/job", "lower", 12),
        Figure(f"duco.bus_ms.d500{end}", "ms/job, in slow motion", "lower"),
    )


def bars(master: str) -> dict[str, float]:
    end = MASTERS[master]
    with built_node() as node:
        d10 = _mined(replace(D10, master=master), max(20, seconds(60)), node)
        d500 = _mined(replace(D500, master=master), seconds(40), node)
        at_once = _mined(replace(AT_ONCE, master=master), max(10, seconds(20)), node)
        alone = _mined(replace(ALONE_SLOWLY, master=master), max(4, seconds(8)), node)
    return {
        f"duco.busy.d10{end}": 100 * d10.busy,
        f"duco.busy.d10{end}/peer": SEED_BUSY,
        f"duco.busy.d500{end}": 100 * d500.busy,
        f"duco.busy.d500{end}/peer": SEED_BUSY,
        f"duco.idle_ms{end}": max(gap for took, gap in at_once.gaps_ms if took > LONG_MS),
        f"duco.idle_ms{end}/peer": 655 + 766,
        f"duco.idle_ms.one{end}": beyond_the_pool_ms(alone),
        f"duco.bus_ms{end}": d10.bus_ms,
        f"duco.bus_ms.d500{end}": d500.bus_ms,
    }


def beyond_the_pool_ms(alone: Work) -> float:
    """The median gap without the pool's answer: what is on the wires, which is known exactly, and the master's, the
    broker's and the gateway's time, of which slow motion shows a part."""
    wires = on_the_wires_ms()
    return wires + ALONE_SLOWLY.slow * (median(gap for _, gap in alone.gaps_ms) - POOL_MS - wires)


def on_the_wires_ms() -> float:
    """From the end of a job to the begin of the next: the result's command, answer and clearing, and the three
    messages of a job, at 100 kHz."""
    part = len(i2c.frame(i2c.LAST, i2c.pack_hash(1, bytes(20))))
    start = len(i2c.frame(i2c.HASH, i2c.pack_start(1, 1)))
    clear = len(i2c.frame(i2c.CLEAR, i2c.pack_job(1)))
    sizes = (len(i2c.frame(i2c.RESULT)), i2c.answer_size(i2c.RESULT), clear, part, part, start)
    return sum((9 * (size + 1) + BITS_OF_START_AND_STOP) / 100 for size in sizes)


def name(mine: Mine) -> str:
    """duco.table.<slaves>.<the pool's ms>, and what is different from the others."""
    differs = [MASTERS[mine.master], ".one" if mine.connections == 1 else "", "" if mine.pace else ".fast"]
    return f"duco.table.{mine.slaves}.{mine.delay_ms}{''.join(differs)}"


def row(mine: Mine, figure: Figure) -> dict[str, float]:
    """% of the time hashing; the figure's note says what limits it."""
    mine = replace(mine, shares_per_minute=PUBLIC_SHARES_PER_MINUTE)
    with built_node() as node:
        work = _mined(mine, max(6, seconds(20)), node)
    figure.note = f"{60 * work.jobs / work.seconds:.0f} shares/min; limit: {limit(mine, work)}"
    return {figure.name: 100 * work.busy}


def limit(mine: Mine, work: Work) -> str:
    """What more of would give more shares."""
    of_connection = 60 * work.jobs / work.seconds / mine.slaves / mine.connections
    if of_connection > 0.9 * mine.shares_per_minute:
        return f"{mine.shares_per_minute} shares/min of a connection"
    if work.bus_ms * work.jobs / work.seconds / 1e3 > 0.8:
        return "bus"
    if work.busy >= 0.95:
        return f"{mine.pace or FASTEST} H/s"
    return f"pool's answer after {mine.delay_ms} ms"


def _mined(mine: Mine, length: float, node: Path) -> Work:
    work = measure(mine, length, node)
    if work.refused or not work.gaps_ms:
        raise RuntimeError(f"{work.refused} shares were refused, {len(work.gaps_ms)} jobs followed another: {mine}")
    return work


def benchmarks() -> list[Benchmark]:
    table: list[Benchmark] = []
    for mine in [each for each in TABLE if each.slaves == 3] if SHORT else TABLE:
        figure = Figure(name(mine), "% busy", "higher")
        run: Callable[[], dict[str, float]] = partial(row, mine, figure)
        table.append(Benchmark((figure,), run, runs=1))
    return [*(Benchmark(figures(master), partial(bars, master)) for master in MASTERS), *table]
