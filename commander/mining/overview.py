"""What the whole mining farm does now, and what of it needs a person. Pure.

DUCO rigs count as DUCO-S1; a node that is not there is one problem, however many ASICs it has.
"""

from collections.abc import Iterable

from commander.effects import Farm, Row
from commander.mining import machines as read
from commander.mining import rigs
from commander.mining.told import reported_miners

DUCO = "DUCO-S1"
SEVERITIES = ("critical", "error", "warning", "info")
# Steps of schema/playbooks.py in which a miner that does not hash is as it shall be.
CALM = ("waiting", "installing", "starting", "resting", "stopped")


def overview(farm: Farm, now: int) -> Row:
    """Sums of what is there, how many are in which state, and problems, worst first.

    ``algorithms``: hash rate (H/s), power (W) and ``hashes_per_joule`` of those that say both; most power first.
    """
    machines = read.machines(farm, now)
    duco = rigs.rig_list(farm, now)
    here = [each for each in machines if each["state"] != "offline"]
    states: dict[str, int] = dict.fromkeys(read.STATES, 0)
    for state in (*(each["state"] for each in machines), *map(_rig_state, duco)):
        states[state] += 1
    shares = [row for each in here for row in each["algorithms"]] + [_duco_shares(rig) for rig in duco]
    return {
        "ts": now,
        "algorithms": _algorithms(here, duco),
        "power": _sum(each["power"] for each in here),
        "power_known": sum(each["power"] is not None for each in here),
        "shares": read.share_figures(shares),
        "states": states,
        "count": {
            **{kind: sum(each["kind"] == kind for each in machines) for kind in read.KINDS},
            "rig": len(duco),
            "here": len(here) + sum(_rig_state(rig) != "offline" for rig in duco),
        },
        "problems": problems(farm, machines, duco),
    }


def problems(farm: Farm, machines: Iterable[Row], duco: Iterable[Row] = ()) -> list[Row]:
    """[{"what", "severity", "node", "device" ("" for all of the node), "kind", "text", "since"}], worst and oldest
    first; `what`: alert, playbook, offline, inactive. `since` is None where nobody noted it."""
    by_node: dict[str, list[Row]] = {}
    for each in machines:
        by_node.setdefault(each["node"], []).append(each)
    found: list[Row] = []
    for node, mine in by_node.items():
        found += _of_node(farm, node, mine)
    found += [_problem("alert", rig["node"], "", "rig", a["severity"], a["text"], a["since"])
              for rig in duco for a in rig["alerts"] if rig["node"] not in by_node]  # fmt: skip
    found += _of_nobody(farm, {(each["node"], each["device"]) for mine in by_node.values() for each in mine})
    for node, reported in _failed(farm).items():
        text = reported["error"] or "failed"
        found.append(_problem("playbook", node, "", "miner", "error", f"playbooks: {text}", reported["updated"]))
    return sorted(found, key=lambda row: (_rank(row["severity"]), row["since"] or 0))


def _of_node(farm: Farm, node: str, mine: list[Row]) -> list[Row]:
    kind = mine[0]["kind"] if len(mine) == 1 else "asic" if all(m["kind"] == "asic" for m in mine) else "miner"
    found = [
        _problem("alert", node, each["device"], each["kind"], a["severity"], a["text"], a["since"])
        for each in mine
        for a in each["alerts"]
    ]
    if mine[0]["presence"] not in rigs.PRESENT:
        since = farm["heard"].get(node, {}).get("ts")
        text = f"the node is {mine[0]['presence']}: nothing is known of {_some(len(mine), kind)}"
        return [*found, _problem("offline", node, "", kind, "error", text, since)]
    steps = steps_of(farm, node)
    for each in mine:
        if each["alerts"]:
            continue
        problem = _of_machine(each, steps.get(each["name"], ""))
        if problem:
            what, text = problem
            severity = "error" if what == "offline" else "warning"
            since = each["ts"] if what == "offline" else None
            found.append(_problem(what, node, each["device"], each["kind"], severity, text, since))
    return found


def _of_nobody(farm: Farm, devices: set[tuple[str, str]]) -> list[Row]:
    """Alerts of miners and ASICs that have not reported anything yet."""
    rows = [row for row in list(farm["alert"].values()) if f"{row['name']}-".startswith(("miner-", "asic-"))]
    return [
        _problem("alert", a["node"], "", read.kind_of(a["name"]), a["severity"], a["text"], a["since"])
        for a in rows
        if a["node"] in farm["node"] and read.owner_of(a, devices) is None
    ]


def _of_machine(each: Row, step: str) -> tuple[str, str] | None:
    if each["state"] == "offline":
        silent = each["age_ms"] > read.SILENT_MS
        return "offline", "no figures for a minute or more" if silent else "does not answer"
    if each["state"] == "inactive" and not each["paused"] and step not in (*CALM, "failed"):  # that is told already
        return "inactive", "runs, but does not hash"
    return None


def steps_of(farm: Farm, node: str) -> dict[str, str]:
    """name -> the step that the node reports of each miner in its playbooks."""
    return {name: str(told.get("state", ""))[:32] for name, told in reported_miners(farm, node).items()}


def _failed(farm: Farm) -> dict[str, Row]:
    rows = [row for row in list(farm["reported"].values()) if row["doc"] == "playbooks" and row["status"] == "failed"]
    return {row["node"]: row for row in rows if row["node"] in farm["node"]}


def _algorithms(here: list[Row], duco: list[Row]) -> list[Row]:
    found: dict[str, Row] = {}

    def add(name: str, hashrate: float | None, count: int) -> Row:
        empty: Row = {"algorithm": name, "hashrate": 0, "miners": 0, "power": None, "hashes_per_joule": None}
        row = found.setdefault(name, {**empty, "measured": 0.0})
        row["hashrate"] += hashrate or 0
        row["miners"] += count
        return row

    shared: set[str] = set()  # mined beside another one by the same miner: nobody knows how much power it takes
    for each in here:
        rows = [add(told["algorithm"] or "unknown", told["hashrate"], 1) for told in each["algorithms"]]
        if rows and each["power"] is not None:
            rows[0]["power"] = (rows[0]["power"] or 0) + each["power"]  # once
            rows[0]["measured"] += each["algorithms"][0]["hashrate"] or 0
        shared |= {row["algorithm"] for row in rows if len(rows) > 1}
    for rig in duco:
        if _rig_state(rig) != "offline":
            add(DUCO, rig["totals"]["hashrate"], 1)
    for name, row in found.items():
        measured = row.pop("measured")
        row["hashes_per_joule"] = None if name in shared else read.efficiency(measured, row["power"])
    return sorted(found.values(), key=lambda row: (-(row["power"] or 0), row["algorithm"]))


def _rig_state(rig: Row) -> str:
    totals = rig["totals"]
    return "offline" if not totals["here"] else "online" if totals["hashrate"] > 0 else "inactive"


def _duco_shares(rig: Row) -> Row:
    totals = rig["totals"]
    return {"accepted": totals["accepted"], "rejected": totals["refused"], "stale": totals["stale"], "invalid": 0}


def _problem(what: str, node: str, device: str, kind: str, severity: str, text: str, since: int | None) -> Row:
    return {"what": what, "severity": severity, "node": node, "device": device, "kind": kind, "text": text,
            "since": since}  # fmt: skip


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def _some(count: int, kind: str) -> str:
    name = {"asic": "ASIC", "miner": "miner"}[kind]
    return f"its {name}" if count == 1 else f"its {count} {name}s"


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
