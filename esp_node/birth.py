"""What a node says after each connect: presence, what it listens to, who it is and what it will send. Loaded for
that, then forgotten.
"""

import json

from esp_node import store
from esp_node.clock import unix_ms
from esp_node.steps import names


def hello(node):
    """Subscribe, and say `init`, birth, standing alerts, `ready`; then everything that waits is sent again."""
    node.send("state", b"init")
    for channel in ("stored", "desired/+", "cmd/+"):
        node.link.subscribe(node.prefix + channel)
    tell(node)
    for name in node.alerts:
        node.send("alert", node.alerts[name], name)
    node.send("state", b"ready")
    node.outbox.rewind()


def tell(node, then=None):
    """Send the birth; again when the sensors or streams change. Returns `then`."""
    node.send("info", json.dumps(_info(node), separators=(",", ":")).encode())
    return then


def _info(node):
    parts = {"node": {"uptime_s": "s", "mem_free": "B"}}
    for name in node.outbox.counters(node.link):
        parts["node"][name] = ""
    info = {
        "schema": 1, "boot": node.boot, "kind": "esp", "software": node.software, "hardware": node.hardware,
        "alive_ms": node.heartbeat_s * 2500, "parts": parts, "sensors": sorted(node.sensors), "steps": names(),
        "hears_marks": node.outbox.hears_marks, "clock": "set" if unix_ms() else "unset",
        "limits": {"queue": node.outbox.events, "payload": node.link.limit},
    }  # fmt: skip
    info.update(store.read(node.folder + "parts.json", {}))
    parts.update(info["parts"])
    info["parts"] = parts
    return info
