"""DUCO rigs as they are now: nodes whose devices report telemetry `slave`. From the projection; pure."""

import re
from collections.abc import Iterable
from typing import Any

from commander.effects import Farm, Row
from commander.fleet.presence import presence
from schema.mining import RUN_STATES, SERVER_STATES

PART, GATEWAY_PART = "slave", "pool"
SUMS = ("requests", "shares", "accepted", "refused", "lost", "stale", "faults")
WAITS = ("request_wait_ms", "send_wait_ms")
COUNTERS = (*SUMS, *WAITS, "hashes", "elapsed_ms")
MOST = 1e290  # sums of larger numbers would overflow
SILENT_MS = 60_000  # a master reports each slave every 10 s
PRESENT = ("ready", "init", "sleeping")
_CHIP = re.compile(r"DUCOID([0-9A-F]{16})")


def rig_list(farm: Farm, now: int) -> list[Row]:
    """Every rig with its totals, by node."""
    found = [_rig(farm, node, rows, now) for node, rows in sorted(_slave_rows(farm).items()) if node in farm["node"]]
    return [{name: value for name, value in row.items() if name != "slaves"} for row in found]


def rig(farm: Farm, node: str, now: int) -> Row | None:
    """One rig with its slaves, those with a problem first; None when the node has none."""
    rows = _slave_rows(farm).get(node)
    return _rig(farm, node, rows, now) if rows and node in farm["node"] else None


def has_rig(farm: Farm, node: str = "") -> bool:
    """Whether there is any rig, or one of this node."""
    return any(_is_slave(row) and node in ("", row["node"]) for row in list(farm["latest"].values()))


def devices(farm: Farm, node: str) -> list[str]:
    """The slaves of a node that have ever reported."""
    return sorted(row["device"] for row in _slave_rows(farm).get(node, []))


def number(value: Any) -> float | None:
    """A figure that a node sent, if it is one that can be added up."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < MOST:
        return None
    return float(value)


def plain(value: float | None) -> float | int | None:
    """For JSON: whole numbers without a fraction, others with one digit."""
    if value is None:
        return None
    return int(value) if value.is_integer() and abs(value) < 2**53 else round(value, 1)


def mean(total: float | None, count: float | None) -> float | int | None:
    """None where there was nothing to measure."""
    return plain(total / count) if count and total is not None else None


def _is_slave(row: Row) -> bool:
    return row["part"] == PART and row["device"] != "self"


def _slave_rows(farm: Farm) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in list(farm["latest"].values()):
        if _is_slave(row):
            found.setdefault(row["node"], []).append(row)
    return found


def _rig(farm: Farm, node_id: str, rows: list[Row], now: int) -> Row:
    node = farm["node"][node_id]
    word = presence(farm, node, now)
    heard = farm["heard"].get(node_id)
    alerts = [row for row in list(farm["alert"].values()) if row["node"] == node_id]
    names = {f"{node_id}_{row['device']}" for row in rows}
    pools = [row for row in list(farm["latest"].values()) if row["part"] == GATEWAY_PART and row["device"] in names]
    newest = {row["device"]: row for row in sorted(pools, key=lambda row: row["received"])}
    slaves = [
        _slave(farm, row, word, alerts, newest.get(f"{node_id}_{row['device']}"), now)
        for row in sorted(rows, key=lambda row: _by_number(row["device"]))
    ]
    return {
        "node": node_id,
        "domain": node["domain"],
        "kind": node["kind"],
        "presence": word,
        "heard": heard["ts"] if heard else None,
        "ts": max(row["ts"] for row in rows),
        "gateways": sorted({row["node"] for row in newest.values()}),
        "totals": _totals(slaves, [row["data"] for row in rows]),
        "alerts": alerts,
        "slaves": sorted(slaves, key=lambda slave: (slave["presence"] == "ready", not slave["alerts"])),
    }


def _by_number(device: str) -> tuple[str, int]:
    name, _, digits = device.rpartition("-")
    return (name, int(digits)) if digits.isdecimal() and len(digits) < 10 else (device, 0)


def _slave(farm: Farm, row: Row, node_presence: str, alerts: list[Row], pool: Row | None, now: int) -> Row:
    device, data = row["device"], row["data"]
    said = farm["device"].get((row["node"], device)) or {"state": "", "info": {}}
    counts = {name: number(data.get(name)) for name in COUNTERS}
    judged = sum(counts[name] or 0 for name in ("accepted", "refused", "lost"))
    server, state = (str(data.get(name) or "")[:16] for name in ("server", "state"))
    chip = _CHIP.search(said["info"].get("hardware", ""))
    return {
        "device": device,
        "presence": _presence(said["state"], server, now - row["received"], node_presence),
        "server": server,
        "server_text": SERVER_STATES.get(server, ""),
        "state": state,
        "state_text": RUN_STATES.get(state, ""),
        **{name: plain(number(data.get(name))) for name in ("hashrate", "busy_pct", "difficulty", "in_hand", *SUMS)},
        "job_wait_ms": mean(counts["request_wait_ms"], counts["requests"]),
        "verdict_wait_ms": mean(counts["send_wait_ms"], judged),
        "ts": row["ts"],
        "age_ms": max(0, now - row["received"]),
        "chip": chip[1] if chip else "",
        "firmware": said["info"].get("software", "").partition(" DUCOID")[0],
        "alerts": [alert for alert in alerts if device in (alert["device"], alert["name"])],
        "pool": pool and {"gateway": pool["node"], "age_ms": max(0, now - pool["received"]), **pool["data"]},
    }


def _presence(word: str, server: str, age: int, node_presence: str) -> str:
    """`ready` while it is on the bus and its node is there; `lost`; else the node's own."""
    if node_presence not in PRESENT:
        return node_presence
    gone = word in ("lost", "disconnected") or (not word and server == "D") or age > SILENT_MS
    return "lost" if gone else "ready"


def _totals(slaves: list[Row], figures: list[Row]) -> Row:
    here = [slave for slave in slaves if slave["presence"] == "ready"]
    counts = {name: _sum(data.get(name) for data in figures) for name in COUNTERS}
    judged = counts["accepted"] + counts["refused"] + counts["lost"]
    return {
        "here": len(here),
        "known": len(slaves),
        "hashrate": plain(_sum(slave["hashrate"] for slave in here)),
        "busy_pct": mean(_sum(slave["busy_pct"] for slave in here), len(here)),
        **{name: plain(counts[name]) for name in SUMS},
        "job_wait_ms": mean(counts["request_wait_ms"], counts["requests"]),
        "verdict_wait_ms": mean(counts["send_wait_ms"], judged),
    }


def _sum(values: Iterable[Any]) -> float:
    return sum((number(value) or 0.0 for value in values), 0.0)
