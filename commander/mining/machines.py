"""Miners and ASICs as they are now: devices that report telemetry `miner`. From the projection; pure.

A device `asic-<name>` is an ASIC, any other a mining software on a host. What it reports is text and numbers of a
stranger: words are cut, numbers that cannot be added up are None.
"""

from collections.abc import Container, Iterable
from typing import Any

from commander.effects import Farm, Row
from commander.fleet.presence import presence
from commander.mining.rigs import PRESENT, number
from commander.mining.told import in_maintenance, names_in, objects_in

PART, CARD = "miner", "card-"
KINDS = ("miner", "asic")
STATES = ("online", "inactive", "idle", "offline")
SILENT_MS = 60_000
MOST_ALGORITHMS = 4
LONGEST = 256
SHARES = ("accepted", "rejected", "stale", "invalid")
_OF_ALGORITHM = ("algorithm", "hashrate", "pool", "user", "difficulty", *SHARES)
_NUMBERS = ("power", "temp", "uptime_s", "expected", "power_limit")
_WORDS = ("software", "version")
_OWN = {"state", "paused", "cards", *_NUMBERS, *_WORDS}
# Which desired document names what a node shall own, and where in it.
DOCUMENTS = {"miner": ("playbooks", "miners"), "asic": ("asics", "asics")}


def machines(farm: Farm, now: int, node: str = "") -> list[Row]:
    """Every miner and ASIC (of one node), by node and name, without its cards."""
    rows = list(_rows(farm, node))
    words = {owner: presence(farm, farm["node"][owner], now) for owner in {row["node"] for row in rows}}
    alerts = _alerts(farm, {(row["node"], row["device"]) for row in rows})
    found = [_machine(farm, row, words[row["node"]], alerts.get((row["node"], row["device"]), []), now) for row in rows]
    return sorted(found, key=lambda each: (each["node"], each["kind"], by_number(each["name"])))


def machine(farm: Farm, node: str, device: str, now: int) -> Row | None:
    """One with its cards; None when there is none."""
    found = next((each for each in machines(farm, now, node) if each["device"] == device), None)
    return found and {**found, "card_list": cards(farm, node).get(device, [])}


def cards(farm: Farm, node: str) -> dict[str, list[Row]]:
    """device -> its cards in their order: {"card": number, "ts", what it reported}."""
    found: dict[str, list[Row]] = {}
    for row in list(farm["latest"].values()):
        digits = row["part"].removeprefix(CARD)
        if row["node"] == node and digits != row["part"] and digits.isdecimal() and len(digits) < 6:
            told = {name: _plain(value) for name, value in row["data"].items()}
            found.setdefault(row["device"], []).append({**told, "card": int(digits), "ts": row["ts"]})
    for device, rows in found.items():
        newest = max(row["ts"] for row in rows)
        # A card that has been taken out is not reported any more.
        found[device] = sorted((r for r in rows if newest - r["ts"] <= SILENT_MS), key=lambda row: row["card"])
    return found


def miner_kinds(farm: Farm, node: str = "") -> set[str]:
    """Which of KINDS there is, in all or on this node."""
    return {kind_of(row["device"]) for row in _rows(farm, node)} | _wanted(farm, node)


def kind_of(device: str) -> str:
    return "asic" if device.startswith("asic-") else "miner"


def owner_of(alert: Row, devices: Container[tuple[str, str]]) -> tuple[str, str] | None:
    """(node, device) that an alert is about: its own device, else the longest one that its name `<device>-<what>`
    begins with."""
    node, name = alert["node"], alert["name"]
    if (node, alert["device"]) in devices:
        return node, alert["device"]
    while name:
        if (node, name) in devices:
            return node, name
        name = name.rpartition("-")[0]
    return None


def share_figures(algorithms: Iterable[Row]) -> Row:
    """Sums of shares, and `reject_pct`: % rejected of all that the pool judged; None before the first."""
    rows = list(algorithms)
    total = {name: sum(row[name] or 0 for row in rows) for name in SHARES}
    judged = total["accepted"] + total["rejected"] + total["stale"]
    return {**total, "reject_pct": round(100 * total["rejected"] / judged, 2) if judged else None}


def efficiency(hashrate: float | None, power: float | None) -> float | None:
    """Hashes per joule (= H/s per W)."""
    return hashrate / power if hashrate and power and power > 0 else None


def by_number(name: str) -> tuple[str, int]:
    """Sorts `s9-2` before `s9-10`."""
    head = name.rstrip("0123456789")
    digits = name[len(head) :]
    return (head, int(digits)) if digits and len(digits) < 10 else (name, 0)


def _rows(farm: Farm, node: str) -> Iterable[Row]:
    """Newest telemetry of all that a node (still) owns."""
    wanted: dict[tuple[str, str], set[str] | None] = {}
    for row in list(farm["latest"].values()):
        if row["part"] != PART or row["device"] == "self" or node not in ("", row["node"]):
            continue
        if row["node"] not in farm["node"]:
            continue
        key = row["node"], kind_of(row["device"])
        if key not in wanted:
            wanted[key] = _named(farm, *key)
        names = wanted[key]
        if names is None or row["device"] in names:
            yield row


def _wanted(farm: Farm, node: str) -> set[str]:
    rows = [row for row in list(farm["desired"].values()) if node in ("", row["node"])]
    return {
        kind for kind, (doc, part) in DOCUMENTS.items() for row in rows if row["doc"] == doc and names_in(row, part)
    }


def _named(farm: Farm, node: str, kind: str) -> set[str] | None:
    """Devices that the desired document names, or that the node still reports of; None without such a document."""
    document, part = DOCUMENTS[kind]
    desired, reported = farm["desired"].get((node, document)), farm["reported"].get((node, document))
    if desired is None:
        return None
    return {f"{kind}-{name}" for name in names_in(desired, part) | set(objects_in(reported, part))}


def _alerts(farm: Farm, devices: set[tuple[str, str]]) -> dict[tuple[str, str], list[Row]]:
    found: dict[tuple[str, str], list[Row]] = {}
    for row in list(farm["alert"].values()):
        owner = owner_of(row, devices)
        if owner:
            found.setdefault(owner, []).append(row)
    return found


def _machine(farm: Farm, row: Row, word: str, alerts: list[Row], now: int) -> Row:
    device, data = row["device"], row["data"]
    kind, age = kind_of(device), max(0, now - row["received"])
    algorithms = _algorithms(data)
    power = number(data.get("power"))
    return {
        "node": row["node"],
        "domain": farm["node"][row["node"]]["domain"],
        "device": device,
        "kind": kind,
        "name": device.removeprefix(f"{kind}-"),
        "presence": word,
        "state": _state(data.get("state"), word, age),
        "paused": data.get("paused") is True,
        "maintenance": kind == "miner" and in_maintenance(farm, row["node"]),
        **{name: _word(data.get(name)) for name in _WORDS},
        "algorithms": algorithms,
        **share_figures(algorithms),
        **{name: _plain(number(data.get(name))) for name in _NUMBERS},
        "cards": _plain(number(data.get("cards"))),
        # With two algorithms at once nobody knows which of them takes how much.
        "hashes_per_joule": efficiency(algorithms[0]["hashrate"], power) if len(algorithms) == 1 else None,
        "more": {name: _plain(value) for name, value in data.items() if not _is_known(name)},
        "alerts": alerts,
        "ts": row["ts"],
        "age_ms": age,
    }


def _state(said: Any, word: str, age: int) -> str:
    if word not in PRESENT or age > SILENT_MS:
        return "offline"
    return said if said in STATES else "offline"


def _algorithms(data: Row) -> list[Row]:
    found: list[Row] = []
    for place in range(1, MOST_ALGORITHMS + 1):
        end = "" if place == 1 else f"_{place}"
        if not any(name + end in data for name in ("algorithm", "hashrate", "accepted")):
            break
        told = {name: data.get(name + end) for name in _OF_ALGORITHM}
        words = {name: _word(told[name]) for name in ("algorithm", "pool", "user")}
        numbers = {name: _plain(number(told[name])) for name in ("hashrate", "difficulty", *SHARES)}
        found.append({**words, **numbers})
    return found


def _is_known(name: str) -> bool:
    head, _, digit = name.rpartition("_")
    plain = head if digit in ("2", "3", "4") else name
    return name in _OWN or plain in _OF_ALGORITHM


def _word(value: Any) -> str:
    return value[:LONGEST] if isinstance(value, str) else ""


def _plain(value: Any) -> Any:
    """A word cut, a number as short as it is true enough, anything else as it is."""
    if isinstance(value, str):
        return value[:LONGEST]
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**53 else float(f"{value:.6g}")
    return value
