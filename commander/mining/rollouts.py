"""How far a change has come, node by node. Pure; issue.py begins, continues and cancels them.

running    sent, not all have answered         waiting    the canary group runs it, the others wait for a person
done       all that got it run it              failed     a node could not; of a trial, the others keep what they have
cancelled  taken back
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from commander.effects import Effects, Farm, Put, Row

DOCUMENT = "playbooks"
KEPT = 100  # closed rollouts
OPEN = ("running", "waiting", "failed")


def state_of(trial: bool, states: Iterable[str]) -> str:
    """State of a rollout whose nodes are in these states."""
    count = Counter(states)
    if count["failed"] and (trial or not count["pending"]):
        return "failed"
    if count["pending"]:
        return "running"
    return "waiting" if trial and count["held"] else "done"


def node_row(rollout: str, node: str, state: str, now: int, rev: int = 0, error: str = "") -> Row:
    return {"rollout": rollout, "node": node, "state": state, "rev": rev, "error": error, "updated": now}


def rows_of(farm: Farm, rollout: Row) -> dict[str, Row]:
    """node -> its row, of those nodes that are still there."""
    found = {node: farm["rollout_node"].get((rollout["id"], node)) for node in rollout["nodes"]}
    return {node: row for node, row in found.items() if row}


def recount(farm: Farm, rollout: Row, changed: Mapping[str, Row], now: int) -> Effects:
    """Put changed rows of its nodes, and the rollout's new state."""
    rows = {**rows_of(farm, rollout), **changed}
    effects: Effects = [Put("rollout_node", (rollout["id"], node), row) for node, row in changed.items()]
    if rollout["state"] != "cancelled":
        state = state_of(bool(rollout["trial"]), (row["state"] for row in rows.values()))
        if state != rollout["state"]:
            effects.append(Put("rollout", rollout["id"], {**rollout, "state": state, "updated": now}))
    return effects


def on_reported(farm: Farm, reported: Row, now: int) -> Effects:
    """A node says what it made of its document: `reported` is the row of that."""
    if reported["doc"] != DOCUMENT or reported["status"] == "pending":
        return []
    effects: Effects = []
    for rollout in list(farm["rollout"].values()):
        row = farm["rollout_node"].get((rollout["id"], reported["node"]))
        if rollout["state"] in OPEN and row is not None and row["state"] in ("pending", "failed"):
            state, error = answer_of(row, reported)
            if (state, error) != (row["state"], row["error"]):
                new = {**row, "state": state, "error": error, "updated": now}
                effects += recount(farm, rollout, {row["node"]: new}, now)
    return effects


def answer_of(row: Row, reported: Row) -> tuple[str, str]:
    """(state, error) of a node's row after what the node reported."""
    if reported["rev"] < row["rev"]:
        return row["state"], row["error"]
    if reported["rev"] > row["rev"]:
        return "superseded", ""
    return ("applied", "") if reported["status"] == "applied" else ("failed", reported["error"] or "failed")


def trials(farm: Farm) -> list[Row]:
    """Rollouts that hold nodes back, oldest first."""
    return sorted(
        (row for row in list(farm["rollout"].values()) if row["trial"]), key=lambda row: (row["created"], row["id"])
    )


def holder_of(farm: Farm, node: str) -> str:
    """Id of the rollout that holds a node back; empty: none."""
    for rollout in trials(farm):
        row = farm["rollout_node"].get((rollout["id"], node))
        if row is not None and row["state"] == "held":
            return rollout["id"]
    return ""


def superseded(farm: Farm, nodes: Iterable[str], by: str, now: int) -> Effects:
    """Other rollouts need not wait any longer for these nodes: they have got something newer."""
    wanted = set(nodes)
    effects: Effects = []
    for rollout in list(farm["rollout"].values()):
        if rollout["id"] != by and rollout["state"] in OPEN:
            rows = rows_of(farm, rollout)
            pending = {n: {**rows[n], "state": "superseded", "updated": now} for n in rows if n in wanted}
            pending = {n: row for n, row in pending.items() if rows[n]["state"] == "pending"}
            effects += recount(farm, rollout, pending, now) if pending else []
    return effects


def forgotten(farm: Farm) -> Effects:
    """The oldest closed rollouts go when there are too many."""
    closed = sorted((row for row in list(farm["rollout"].values()) if not is_open(row)), key=lambda row: row["created"])
    gone = closed[: max(0, len(closed) - KEPT)]
    return [
        put
        for row in gone
        for put in (
            Put("rollout", row["id"], None),
            *(Put("rollout_node", (row["id"], n), None) for n in rows_of(farm, row)),
        )
    ]


def is_open(rollout: Row) -> bool:
    """Whether something may still happen to it."""
    return bool(rollout["trial"]) or rollout["state"] in ("running", "waiting")


def shown(farm: Farm, rollout: Row, nodes: bool) -> Row:
    """A rollout as the API gives it: `counts` by state, and with `nodes` each of them, those with a problem first."""
    rows = rows_of(farm, rollout)
    found = {name: value for name, value in rollout.items() if name not in ("records", "nodes")}
    found |= {"trial": bool(rollout["trial"]), "money": bool(rollout["money"])}
    found["changes"] = [{"table": each["table"], "key": each["key"]} for each in rollout["records"]]
    found["counts"] = dict(Counter(row["state"] for row in rows.values()))
    if nodes:
        order = ("failed", "pending", "held", "applied", "superseded", "cancelled")
        found["nodes"] = [
            {
                "node": row["node"],
                "state": row["state"],
                "rev": row["rev"],
                "error": row["error"],
                "updated": row["updated"],
            }
            | {"step": _step(farm, row)}
            for row in sorted(rows.values(), key=lambda row: (order.index(row["state"]), row["node"]))
        ]
    return found


def _step(farm: Farm, row: Row) -> Row | None:
    """What the node says of its miners, while the row's revision is what it works on."""
    reported = farm["reported"].get((row["node"], DOCUMENT))
    return reported["data"] if reported and row["rev"] and reported["rev"] == row["rev"] else None
