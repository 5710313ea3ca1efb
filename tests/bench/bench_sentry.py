"""sentry.idle.*: what a sentry costs its host while nothing happens: a real process at a real broker, which measures
the host every 10 s as it does unless it is told otherwise.
"""

import tempfile
import time
from pathlib import Path

import psutil

from tests.bench.figures import Benchmark, Figure, seconds
from tests.sentry.rig import HouseBroker, Peer, Sentry

SETTLED_S = 15


def idle() -> dict[str, float]:
    """One run: the memory that it alone holds, and its part of a core."""
    with tempfile.TemporaryDirectory(prefix="farmhand-bench-") as folder:
        broker = HouseBroker(Path(folder) / "broker")
        broker.start()
        peer = Peer(broker.port)
        sentry = Sentry(Path(folder) / "sentry")
        try:
            sentry.enrolled(f"mqtt://127.0.0.1:{broker.port}", peer.verify)
            sentry.start()
            peer.expect("/rig1/self/state", lambda word: word == "ready")
            time.sleep(SETTLED_S)
            assert sentry.process is not None
            process = psutil.Process(sentry.process.pid)
            before, at = sum(process.cpu_times()[:2]), time.monotonic()
            time.sleep(max(20, seconds(60)))
            used, passed = sum(process.cpu_times()[:2]) - before, time.monotonic() - at
            memory = process.memory_info().rss
            sentry.stop()
        finally:
            if sentry.process is not None:
                sentry.process.kill()
            peer.close()
            broker.stop()
    return {"sentry.idle.memory": memory / 1e6, "sentry.idle.cpu": 100 * used / passed}


def benchmarks() -> list[Benchmark]:
    figures = (
        Figure("sentry.idle.memory", "MB resident", "lower", 60),
        Figure("sentry.idle.cpu", "% of a core", "lower", 1),
    )
    return [Benchmark(figures, idle, 2)]
