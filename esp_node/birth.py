"""The birth message of a node: who it is and what it will send. Loaded for each connection, then
forgotten."""

import json

from esp_node.clock import unix_ms


def info(node):
    """Payload (bytes) of `info`."""
    parts = {"node": {"uptime_s": "s", "mem_free": "B", "queue": "", "dropped": "", "reconnects": ""}}
    for name, (module, _sensor) in node.active.items():
        parts[name] = dict(zip(module.FIELDS, module.UNITS))
    return json.dumps(
        {
            "schema": 1,
            "boot": node.boot,
            "kind": "esp",
            "software": node.software,
            "hardware": node.hardware,
            "alive_ms": node.given["heartbeat_s"] * 2500,
            "parts": parts,
            "sensors": sorted(node.active),
            "hears_marks": node.given["hears_marks"],
            "clock": "set" if unix_ms() else "unset",
            "limits": {"queue": node.outbox.events, "payload": node.link.limit},
        }
    ).encode()
