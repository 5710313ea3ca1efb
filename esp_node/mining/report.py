"""What a rig's slave is, and what it did, for MQTT. Loaded for that."""

import json

from esp_node.clock import unix_ms

_FIGURES = {
    "server": "", "state": "", "in_hand": "", "requests": "", "request_wait_ms": "ms", "shares": "",
    "send_wait_ms": "ms", "elapsed_ms": "ms", "hashes": "", "hashrate": "H/s", "busy_pct": "%", "accepted": "",
    "refused": "", "lost": "", "faults": "", "stale": "", "difficulty": "", "last": "", "new": "",
}  # fmt: skip


def units():
    """Fields of a slave's telemetry, with their units."""
    return _FIGURES


def announce(node, slave, kind="esp"):
    """Say who the slave is, and that it is ready. kind: the node's."""
    base = "%savr-%d/" % (node.prefix[:-5], slave.address)
    info = {
        "schema": 1, "boot": node.boot, "kind": kind, "software": slave.name,
        "hardware": "ATmega328P, DUCOID" + slave.chip(), "alive_ms": 30000, "parts": {},
        "limits": {"difficulty": slave.identity[6]},
    }  # fmt: skip
    if node.link.connected:
        node.link.publish(base + "info", json.dumps(info, separators=(",", ":")).encode(), True, 1)
        node.link.publish(base + "state", b"ready", True, 1)


def figures(slave, now):
    """What the seed's overview and statistics show of a slave (dict)."""
    latest = slave.latest
    return {
        "server": slave.server, "state": slave.state, "in_hand": len(slave.jobs), "requests": slave.requests,
        "request_wait_ms": slave.request_wait_ms, "shares": slave.shares, "send_wait_ms": slave.send_wait_ms,
        "elapsed_ms": slave.elapsed_us // 1000, "hashes": slave.hashes,
        "hashrate": slave.hashes * 1000000 // slave.elapsed_us if slave.elapsed_us else 0,
        "busy_pct": min(100, slave.elapsed_us // 10 // max(1, now - slave.since)), "accepted": slave.accepted,
        "refused": slave.refused, "lost": slave.lost, "faults": slave.faults, "stale": slave.stale,
        "difficulty": latest.difficulty if latest else 0, "last": latest.last if latest else "",
        "new": latest.target if latest else "",
    }  # fmt: skip


def report(master, slave, now):
    """Send the figures of a slave."""
    data = figures(slave, now)
    data["ts"] = unix_ms()
    master.send(slave, "tele/slave", json.dumps(data, separators=(",", ":")).encode())
