"""mining.asic_poll: CPU of one sentry that looks at 500 ASICs every 10 s and sends what they say to a real broker.

The ASICs are simulated in a process of their own: a third each of the cgminer family, of IceRiver and of Bitaxe; one in
ten answers late, one in fifty is dead. Measured is the CPU time of the sentry's process, in % of one core, outbox and
MQTT included.

Peer: the library pyasic, which asks as many every 10 s and sends nothing. It knows fixed ports only, so all of its
ASICs are of the cgminer family, each with an address of its own.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from tests.bench.figures import SHORT, Benchmark, Figure, Unavailable, seconds
from tests.mining.asics import AsicSentry, Simulated
from tests.sentry.rig import HouseBroker, Peer, Store

ASICS = 50 if SHORT else 500
POLL_S = 10
WARM_S = 25.0
MEASURED_S = 60.0
BAR_PCT = 50
FIRST_HOST = "127.3.0.1"
PEER = Path(__file__).parent / "pyasic_peer.py"


@contextmanager
def running() -> Iterator[tuple[AsicSentry, Store]]:
    """A broker, ASICs, a sentry that watches all of them."""
    with TemporaryDirectory() as folder:
        broker = HouseBroker(Path(folder) / "broker")
        broker.start()
        asics = Simulated(ASICS, "--type", "mixed", "--slow", str(ASICS // 10), "--dead", str(ASICS // 50))
        peer = Peer(broker.port)
        sentry = AsicSentry(Path(folder) / "sentry")
        sentry.asic = {"poll_s": POLL_S, "answer_s": 5, "report_s": 10, "seldom_s": 60}
        sentry.enrolled(f"mqtt://127.0.0.1:{broker.port}", peer.verify)
        sentry.start()
        peer.expect("self/state", lambda word: word == "ready")
        body = {"rev": 1, "epoch": 1, "data": {"asics": asics.records()}}
        peer.publish(*peer.sealed("desired", "asics", body), retain=True)
        store = Store(peer)
        try:
            yield sentry, store
        finally:
            sentry.stop()
            store.close()
            peer.close()
            asics.stop()
            broker.stop()


def polled() -> dict[str, float]:
    with running() as (sentry, store):
        assert sentry.process is not None
        process = psutil.Process(sentry.process.pid)
        time.sleep(seconds(WARM_S) + POLL_S)
        began, before, rows = time.monotonic(), sum(process.cpu_times()[:2]), len(store.rows)
        time.sleep(max(seconds(MEASURED_S), 2 * POLL_S))
        wall, cpu = time.monotonic() - began, sum(process.cpu_times()[:2]) - before
        told = [json.loads(payload) for payload in list(store.rows.values())[rows:]]
        looks = sum("software" in each for each in told)
        expected = ASICS * 0.95 * wall / POLL_S
        if looks < 0.9 * expected:
            raise Unavailable(f"too slow for this: {looks} of {expected:.0f} looks were told")
        print(f"  {looks} looks in {wall:.0f} s, {len(told)} events", file=sys.stderr)
        return {"mining.asic_poll": 100 * cpu / wall, **_peer()}


def _peer() -> dict[str, float]:
    """CPU of a process in which pyasic does the same, in %; none where it is not installed."""
    if find_spec("pyasic") is None:
        return {}
    asics = Simulated(ASICS, "--type", "cgminer", "--host", FIRST_HOST, free=False)
    try:
        told = subprocess.run(
            [sys.executable, "-W", "ignore", str(PEER), FIRST_HOST, str(ASICS), str(POLL_S), str(2 * POLL_S)],
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
    finally:
        asics.stop()
    if told.returncode:
        print(f"  pyasic: {told.stderr.strip()[-300:]}", file=sys.stderr)
        return {}
    return {"mining.asic_poll/peer": float(told.stdout)}


def benchmarks() -> list[Benchmark]:
    return [Benchmark((Figure("mining.asic_poll", "%", "lower", BAR_PCT, "pyasic"),), polled)]
