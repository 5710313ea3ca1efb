"""What becomes of the nodes that a rollout holds back. Pure."""

from typing import Any

from commander.effects import Effects, Farm, Moment, Put, Refused, Row, audit
from commander.mining import rollouts
from commander.mining.issue import Change, Issued, desired, held, issue, other_trial, present, save, wanted
from commander.mining.records import record, with_puts
from commander.mining.rollouts import DOCUMENT, node_row


def go_on(farm: Farm, rollout_id: str, moment: Moment) -> Issued:
    """Let the nodes go that a trial holds back."""
    rollout = _open_trial(farm, rollout_id)
    if rollout["state"] == "failed":
        raise Refused("rollout", f"{rollout_id} has failed: cancel it, or save something better", 409)
    closed = {**rollout, "trial": 0, "updated": moment.now}
    rows = rollouts.rows_of(farm, rollout)
    changed: dict[str, Row] = {}
    left: dict[str, str] = {}
    effects: Effects = []
    for node in sorted(node for node, row in rows.items() if row["state"] == "held"):
        data = wanted(farm, node)
        other = other_trial(farm, farm, node, rollout)
        if other:
            left[node] = other["id"]
            changed[node] = node_row(rollout_id, node, "superseded", moment.now)
        elif data == present(farm, node):
            changed[node] = node_row(rollout_id, node, "superseded", moment.now)
        else:
            puts, rev = desired(farm, node, data, moment)
            effects += puts
            changed[node] = node_row(rollout_id, node, "pending", moment.now, rev)
    states = [row["state"] for row in {**rows, **changed}.values()]
    closed["state"] = rollouts.state_of(False, states)
    effects += [Put("rollout", rollout_id, closed), *held(farm, left, moment.now)]
    effects += [Put("rollout_node", (rollout_id, node), row) for node, row in changed.items()]
    return Issued(closed, {}, [*effects, audit(moment, "rollout continued", rollout_id, {"nodes": sorted(changed)})])


def cancel(farm: Farm, rollout_id: str, moment: Moment) -> Issued:
    """Put the records back as they were before a trial; its nodes get what they had, as a rollout of its own."""
    rollout = _open_trial(farm, rollout_id)
    closing = [Put("rollout", rollout_id, {**rollout, "trial": 0, "state": "cancelled", "updated": moment.now})]
    for node, row in rollouts.rows_of(farm, rollout).items():
        if row["state"] in ("held", "pending"):
            closing.append(
                Put("rollout_node", (rollout_id, node), {**row, "state": "cancelled", "updated": moment.now})
            )
    now = with_puts(farm, closing)
    back = [_put_back(now, each, moment) for each in rollout["records"]]
    change = Change("rollout cancelled", rollout_id, back, bool(rollout["money"]), "", frozenset(rollout["nodes"]))
    issued = save(now, change, moment)
    return issued._replace(effects=[*closing, *issued.effects])


def catch_up(farm: Farm, node: str, moment: Moment) -> Effects:
    """What a node shall have that nobody gave it: it was enrolled after its playbooks were saved."""
    key = (node, "self", DOCUMENT)
    try:
        return issue(farm, Change("node joined", node, [], nodes=frozenset({node})), moment).effects
    except Refused as error:
        row = {"node": node, "device": "self", "name": DOCUMENT, "since": moment.now, "severity": "error"}
        text = f"no playbooks for {node}: {error}"
        return [Put("alert", key, {**row, "text": text[:1000], "source": "commander"})]


def _open_trial(farm: Farm, rollout_id: str) -> Row:
    rollout = farm["rollout"].get(rollout_id)
    if rollout is None:
        raise Refused("rollout", f"there is no rollout {rollout_id[:64]}", 404)
    if not rollout["trial"]:
        raise Refused("rollout", f"{rollout_id} is {rollout['state']} and holds no node back", 409)
    return rollout


def _put_back(farm: Farm, each: Row, moment: Moment) -> Put:
    """A record as it was. A playbook also gets its version back: for nodes that were held back nothing has happened."""
    table, before = each["table"], each["before"]
    key: Any = each["key"] if isinstance(each["key"], str) else tuple(each["key"])
    if before is None or table == "playbook":
        return Put(table, key, before)
    named = {name: value for name, value in before.items() if name not in ("version", "data", "updated", "by")}
    return Put(table, key, record(farm[table].get(key) or before, named, before["data"], moment))
