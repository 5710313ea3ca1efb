"""A commander with its pages, as a process: <state> <port> <admin key> [nodes only on paper].

Says `ready` when its line runs; ends at SIGTERM.
"""

import sys
import time
from pathlib import Path
from typing import Any

from commander.effects import Put
from commander.fleet import orders
from commander.fleet.hashes import hashed_id
from commander.http.access import key_hash
from commander.http_edge import serve
from commander.service import Service
from commander.settings import Settings

STATES = ("ready", "ready", "ready", "ready", "sleeping", "lost", "disconnected", "init")
UNITS = {"host": {"cpu": "%", "mem_used": "%"}, "gpu": {"rate": "H/s", "power": "W"}}


def crowd(count: int) -> list[Put]:
    """Rows of many nodes in one domain, to see what a large farm looks like."""
    now = int(time.time() * 1000)
    puts: list[Put] = []
    for index in range(count):
        name = f"rig-{index:03}"
        node: dict[str, Any] = {
            **dict.fromkeys(("password_hash", "key", "token", "nonce"), ""),
            **{"id": name, "domain": "barn", "kind": "cpu-gpu", "role": "node", "grants": []},
            **{"created": now, "state": STATES[index % 8], "state_at": now, "shown": "new"},
            **{"boot": "b", "alive_ms": 3_600_000, "parts": UNITS, "sign": "ed25519"},
            "info": {"software": "farmhand 0.1.0"},
        }
        puts += [Put("node", name, node), Put("heard", name, {"node": name, "ts": now + 3_600_000})]
        for part, data in (
            ("host", {"cpu": index % 100, "mem_used": 40 + index % 30}),
            ("gpu", {"rate": 1e6 * index, "power": 100 + index}),
        ):
            series = hashed_id(name, "self", part)
            row = {
                "series": series,
                "node": name,
                "device": "self",
                "part": part,
                "ts": now,
                "received": now,
                "data": data,
            }
            puts.append(Put("latest", series, row))
    return puts


def main(state: str, port: str, key: str, nodes: str = "0") -> None:
    service = Service(Settings(state=Path(state), http=f"127.0.0.1:{port}"))
    service.start()
    flow = service.flow
    if not any(row["hash"] == key_hash(key) for row in flow.farm["api_key"].values()):
        flow.ask(
            lambda farm, moment: orders.create_api_key(farm, "test", "admin", key_hash(key), moment),
            "test",
        ).result()
    if int(nodes):
        flow.ask(lambda _farm, _moment: (None, list(crowd(int(nodes)))), "test").result()
    print("ready", flush=True)
    try:
        serve(service, "127.0.0.1", int(port))
    finally:
        service.stop()


main(*sys.argv[1:])
