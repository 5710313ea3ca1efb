"""The link alone, in MicroPython with the node's heap, against a real Mosquitto."""

import os
import subprocess
from pathlib import Path

from tests.conftest import program
from tests.node.rig import Broker


def test_twenty_thousand_publishes_past_the_last_packet_id(broker: Broker, node_main: Path) -> None:
    script = Path(__file__).parent / "board" / "soak.py"
    done = subprocess.run(
        [program("micropython") or "", "-X", "heapsize=64k", str(script), str(broker.port), "20000"],
        env={**os.environ, "MICROPYPATH": str(node_main.parent)},
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.stdout.endswith("ok\n"), done.stdout + done.stderr
    print("bytes allocated by a publish, heap growth, publishes/s:", done.stdout.split("\n")[0])
