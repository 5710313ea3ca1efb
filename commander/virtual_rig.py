"""The DUCO rig of `farmhand up --rig N`: real firmware on simulated AVRs, a pool of one's own, and the sentry as the
gateway between that and the slaves, whose master is the MicroPython node or the sentry itself.

The simulator is a program of its own (avr/sim, GPL). On hardware the node's config.json names other pins, or the
sentry's FARMHAND_RIG_BUS another bus, and that is all the difference.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

from commander.api import Api, ApiError

SOURCE = Path(__file__).parents[1]
SIMULATOR = SOURCE / "avr" / "sim" / "server.py"
FIRMWARE = SOURCE / "avr" / "build" / "slave-16.elf"
PYTHON = SOURCE / ".local" / "yasimavr" / "bin" / "python"
WIRES = {"scl": 12, "sda": 13}
GRANT_S = 20.0


class NoRig(RuntimeError):
    """A virtual rig cannot run here; says what is missing."""

    def __init__(self, missing: list[str]) -> None:
        if (SOURCE / "Makefile").exists():
            how = f'for want of {", ".join(missing)}; `make run ARGS="--rig 3"` fetches and builds them'
        else:
            how = (
                'an installed farmhand has no simulator; in farmhand\'s source tree `make run ARGS="--rig 3"` '
                f"fetches and builds what it takes. The firmware for real boards is in {SOURCE / 'avr'}"
            )
        self.user_message = f"--rig: {how}"
        super().__init__(self.user_message)


def check() -> None:
    """NoRig where the simulation cannot run."""
    missing = [str(each.relative_to(SOURCE)) for each in (SIMULATOR, FIRMWARE, PYTHON) if not each.exists()]
    if missing:
        raise NoRig(missing)


def simulator(slaves: int, port: int) -> list[str]:
    """Command of the simulation of so many AVRs, in real time."""
    return [str(PYTHON), str(SIMULATOR), str(FIRMWARE), "--slaves", str(slaves), "--port", str(port), "--detached"]


def pool(port: int, ledger: Path) -> list[str]:
    """Arguments of `farmhand` for its pool, which has no limit of shares: the gateway's holds."""
    return ["pool", "serve", "--port", str(port), "--shares-per-minute", "0", "--ledger", str(ledger)]


def gateway(domain: str, node: str, pool_port: int) -> dict[str, str]:
    """Environment of the sentry that hands the pool's jobs to the slaves of ``node``; what is set already holds."""
    usual = {"FARMHAND_POOL_CONNECTIONS": "2", "FARMHAND_POOL_TIER": "DUE"}
    return {
        "FARMHAND_POOL_NODES": f"{domain}/{node}",
        "FARMHAND_POOL_SERVERS": f"127.0.0.1:{pool_port}",
        **{name: os.environ.get(name, value) for name, value in usual.items()},
    }


def bus(port: int) -> dict[str, str]:
    """Environment of the sentry that is the slaves' master itself."""
    return {"FARMHAND_RIG_BUS": f"tcp://127.0.0.1:{port}"}


def connect(folder: Path, port: int | None) -> None:
    """Put the rig on the wires of the node in ``folder``; None takes it off."""
    board, config = folder / "board.json", folder / "config.json"
    described: dict[str, Any] = json.loads(board.read_text())
    described["devices"] = [each for each in described["devices"] if each.get("device") != "rig"]
    if port:
        described["devices"].append({"device": "rig", "port": port, **WIRES})
    board.write_text(json.dumps(described, indent=1))
    given: dict[str, Any] = json.loads(config.read_text())
    if port or "rig" in given:
        config.write_text(json.dumps({**given, "rig": {**given.get("rig", {}), **WIRES} if port else {}}))


def grant(api: Api, gateway_node: str, node: str) -> None:
    """Let the gateway hand jobs to the devices of ``node``, as soon as the commander knows both."""
    ends = time.monotonic() + GRANT_S
    while True:
        try:
            api.put(f"/nodes/{gateway_node}/grants", {"pool_gateway_of": [node]})
            return
        except ApiError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.2)
