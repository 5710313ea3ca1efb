"""Heap of the node's modules and of a whole node, measured in MicroPython. `python -m tests.node.ram` writes ram.json,
which test_ram.py compares with: who lets a module grow on purpose, writes it anew.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from esp_node.build import build, parts
from esp_node.sensors import names as sensors
from esp_node.steps import names as steps
from tests.conftest import program
from tests.node.rig import SELF, UMQTT, Broker, NodeProcess, Peer, credential_config

KNOWN = Path(__file__).parent / "ram.json"
RESIDENT = ("esp_node.run", "esp_node.connection")
LATE = (
    "beat", "birth", "calls", "chains", "config", "control", "dial", "drive", "enrol", "framing", "graph", "incoming",
    "lean", "leaving", "measuring", "ntp", "pacing", "seal", "settings", "setup", "sleep", "spill", "start", "store",
    "streaming", "streams", "tasks", "thingflow", "tls", "trouble", "verify", "wifi", "writers",
)  # fmt: skip
# Link, scheduler, three sensors, two steps: the node of the bar.
MIX: dict[str, Any] = {
    "sensors": {"load": True, "connectivity": True, "system": True},
    "streams": {
        "delay": {
            "from": "connectivity",
            "steps": [{"step": "select", "fields": ["rtt_ms"]}, {"step": "mean", "count": 3}],
        }
    },
    "queue": {"events": 6, "bytes": 1000},
}


def modules() -> tuple[str, ...]:
    """Names of all that is measured: what always stays first, the rest by itself."""
    late = [f"esp_node.{name}" for name in LATE]
    return (*RESIDENT, *late, *(f"esp_node.sensors.{n}" for n in sensors()), *(f"esp_node.steps.{n}" for n in steps()))


def measured(main: Path) -> dict[str, int]:
    """Module -> bytes (64 bits; 32 bits: two thirds) that it adds to a heap that holds what a node always holds."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(main.parent, folder, dirs_exist_ok=True)
        for name, part in parts(main).items():
            file = Path(folder) / f"{name.replace('.', '/')}.mpy"  # as if it were one
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(part)
        return _measured(folder)


def _measured(folder: str) -> dict[str, int]:
    script = Path(__file__).parent / "board" / "ram.py"
    found: dict[str, int] = {}
    for name in modules():
        before = [] if name in RESIDENT[:1] else [RESIDENT[0]]
        command = [program("micropython") or "", "-X", "heapsize=400k", str(script), *before, name]
        environment = {**os.environ, "MICROPYPATH": folder}
        done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
        found[name] = json.loads(done.stdout)[name]
    return found


def lives(main: Path, folder: Path, heap_kb: int) -> bool:
    """Whether a node of MIX sends what its steps make, and answers a signed command, in a heap of so many KB."""
    folder.mkdir()
    broker = Broker(folder)
    peer = Peer(broker.port)
    node = NodeProcess(main, folder / "node", credential_config(broker.port, **MIX), f"{heap_kb}k")

    def heard(tail: str, count: int) -> bool:
        while node.process.poll() is None:
            topics = [topic for topic, *_ in peer.heard]
            if len([topic for topic in topics if topic.endswith(tail)]) >= count:
                return True
            if any(topic.endswith("evt/refused") for topic in topics):
                return False
            time.sleep(0.1)
        return False

    try:
        if not heard("tele/delay", 3):
            return False
        peer.command(f"{SELF}cmd/ping", "ping")
        return heard("ack/ping", 1)
    finally:
        node.stop()
        peer.stop()
        broker.stop()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        figures = measured(build(Path(folder), UMQTT))
    KNOWN.write_text(json.dumps(figures, indent=1) + "\n")
    print(KNOWN.read_text(), file=sys.stderr)


if __name__ == "__main__":
    main()
