"""node.publish_*: the ESP node's link in MicroPython with a 64 KB heap, QoS 1 on one Mosquitto, beside umqtt.simple as
it comes.
"""

import json
import os
import subprocess
import tempfile
from pathlib import Path

from esp_node.build import build
from tests.bench.figures import Benchmark, Figure, Unavailable, seconds
from tests.conftest import ROOT, program
from tests.node.rig import UMQTT, Broker


def publish() -> dict[str, float]:
    """Publishes/s of 200 bytes, eight under way at a time, and the bytes of heap that each leaves behind."""
    with tempfile.TemporaryDirectory(prefix="farmhand-bench-") as name:
        folder = Path(name)
        node = build(folder / "node", UMQTT, bundles=False).parent
        broker = Broker(folder)
        try:
            found = _run("soak.py", node, broker.port, round(seconds(100_000)))
            plain = _run("plain.py", node, broker.port, max(1.0, seconds(5)))
        finally:
            broker.stop()
    if found["writes"] != 1:
        raise RuntimeError(f"{found['writes']} writes for a PUBLISH; it must be one")
    return {
        "node.publish_qos1": found["rate"],
        "node.publish_qos1/peer": plain["rate"],
        "node.publish_alloc": found["bytes"],
    }


def _run(script: str, node: Path, port: int, amount: float) -> dict[str, float]:
    micropython = program("micropython")
    if micropython is None:
        raise Unavailable("MicroPython is not on this machine: run `make setup`")
    argv = [micropython, "-X", "heapsize=64k", str(ROOT / "tests" / "node" / "board" / script), str(port), str(amount)]
    env = {**os.environ, "MICROPYPATH": str(node)}
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{script}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def benchmarks() -> list[Benchmark]:
    figures = (
        Figure("node.publish_qos1", "publishes/s", "higher", 4_400, "umqtt.simple"),
        Figure("node.publish_alloc", "B/publish", "lower", 0),
    )
    return [Benchmark(figures, publish)]
