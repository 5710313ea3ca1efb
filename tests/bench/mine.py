"""A rig that mines, for benchmarks: the shipped firmware on simulated AVRs, a master, Mosquitto, gateway and pool, each
in its own process.

Time is that of the slaves. `slow`: they run so many times slower than the clock on the wall, and so does the pool,
where a machine cannot simulate so many in real time; the master and the gateway then seem so many times faster.
"""

import base64
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from broker.passwords import hashed
from broker.users import User
from commander.mining.grants import of_gateway
from tests.avr.conftest import firmware
from tests.avr.virtual import SIMULATOR, VirtualRig
from tests.bench.figures import Unavailable
from tests.conftest import program
from tests.mining.rig import Pool, PoolSentry
from tests.node.live_board import LiveBoard, build_board
from tests.sentry.rig import HouseBroker, Peer, Store

NODE, GATEWAY = "esp-1", "rig1"
WIRES = {"scl": 12, "sda": 13}
READY_S = 120
SLOWEST = 0.97  # of the time that should have passed; below, the machine cannot simulate so many


@dataclass(frozen=True)
class Mine:
    """master: "node", the ESP's in MicroPython, or "sentry", that of a Linux host by smbus2's door. pace: limit of each
    slave in H/s, 0: none; delay_ms: of each answer of the pool; shares_per_minute: what the pool allows one
    connection."""

    master: str = "node"
    slaves: int = 3
    difficulty: int = 10
    pace: int = 0
    delay_ms: int = 700
    connections: int = 2
    shares_per_minute: int = 100_000
    slow: int = 1


@dataclass
class Work:
    """What was done in `seconds` of the slaves' time. gaps_ms: (how long a job took, how long it was to the next)."""

    seconds: float
    jobs: int
    busy: float
    gaps_ms: list[tuple[float, float]]
    bus_ms: float
    refused: int


@contextmanager
def running(mine: Mine, node: Path) -> Iterator[tuple[VirtualRig, Pool]]:
    """A rig whose slaves all have work. node: the built main.py of a node with its virtual board."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="farmhand-bench-")))
        worker = NODE if mine.master == "node" else GATEWAY
        users = (
            User(NODE, hashed(NODE), "node"),
            User(GATEWAY, hashed(GATEWAY), "node", tuple(of_gateway("farm", "house", worker))),
        )
        broker = HouseBroker(folder / "broker", others=users)
        broker.start()
        stack.callback(broker.stop)
        simulation = VirtualRig(firmware() / "slave-16.elf", mine.slaves, speed=1 / mine.slow)
        stack.callback(simulation.close)
        limit = mine.shares_per_minute // mine.slow
        allowed = limit * 16 // 15  # a gateway keeps a little below
        pool = Pool(f"--delay-ms={mine.delay_ms * mine.slow}", f"--shares-per-minute={allowed}", "--seed=bench",
                    f"--difficulty=DUE={mine.difficulty}")  # fmt: skip
        pool.start()
        stack.callback(pool.stop)
        commander = Peer(broker.port)
        stack.callback(commander.close)
        stack.callback(Store(commander).close)
        gateway = PoolSentry(folder / "sentry")
        gateway.pool = {"nodes": worker, "servers": pool.place, "tier": "DUE", "connections": mine.connections,
                        "shares_per_minute": limit, "report_s": 10, "job_s": 90 * mine.slow}  # fmt: skip
        if worker == GATEWAY:
            gateway.rig = {"bus": f"tcp://127.0.0.1:{simulation.port}", "pace": mine.pace}
        gateway.enrolled(f"mqtt://127.0.0.1:{broker.port}", commander.verify)
        gateway.start()
        stack.callback(gateway.stop)
        if worker == NODE:
            config = {
                "domain": "house", "node": NODE, "password": NODE, "verify": base64.b64encode(b"k" * 32).decode(),
                "brokers": [["127.0.0.1", broker.port]], "sensors": {}, "hears_marks": False,
                "rig": {**WIRES, "pace": mine.pace},
            }  # fmt: skip
            devices = [{"device": "rig", "port": simulation.port, **WIRES}]
            stack.callback(LiveBoard(node, folder / "node", config, devices=devices).stop)
        _await_work(simulation, mine, pool)
        yield simulation, pool


def _await_work(simulation: VirtualRig, mine: Mine, pool: Pool) -> None:
    ends = time.monotonic() + READY_S
    simulation.ask("hashing")
    begun = [0] * mine.slaves
    while min(begun) <= mine.connections and time.monotonic() < ends:
        time.sleep(0.5)
        begun = [a + each["begun"] for a, each in zip(begun, simulation.ask("hashing")["slaves"], strict=True)]
    if not all(begun):
        raise RuntimeError(f"not all slaves got work: {begun}, {pool.statistics()}")


def measure(mine: Mine, seconds: float, node: Path) -> Work:
    """Mine for so many seconds of the slaves' time."""
    with running(mine, node) as (simulation, pool):
        before, bus_before, at = simulation.ask("hashing"), simulation.ask("counters"), time.monotonic()
        refused = pool.statistics()["refused"]
        time.sleep(seconds * mine.slow)
        after, bus_after, passed = simulation.ask("hashing"), simulation.ask("counters"), time.monotonic() - at
        refused = pool.statistics()["refused"] - refused
    us = after["us"] - before["us"]
    if us / 1e6 * mine.slow < SLOWEST * passed:
        speed = us / 1e4 * mine.slow / passed
        raise Unavailable(f"this machine simulated {mine.slaves} slaves at {speed:.0f} % of their speed")
    slaves = after["slaves"]
    jobs = sum(each["begun"] for each in slaves)
    busy = mean(each["busy_us"] for each in slaves) / us
    return Work(
        us / 1e6, jobs, busy,
        [(took / 1e3, gap / 1e3) for each in slaves for took, gap in each["gaps_us"]],
        (bus_after["bus_us"] - bus_before["bus_us"]) / jobs / 1e3,
        refused,
    )  # fmt: skip


@contextmanager
def built_node() -> Iterator[Path]:
    """The node's main.py, built with its virtual board."""
    if not program("avr-gcc") or not SIMULATOR.exists() or not program("micropython"):
        raise Unavailable("avr-gcc, yasimavr or MicroPython is missing (make setup)")
    with tempfile.TemporaryDirectory(prefix="farmhand-bench-") as folder:
        yield build_board(Path(folder))
