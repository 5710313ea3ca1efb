"""A change of records -> the documents that differ now, as one rollout. Pure; trials.py ends what is held back here.

Nothing that waits is stored: a node that is held back gets what the records say when it is let go. While a trial is
open, whatever changes its records again becomes part of it.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from commander.effects import Effects, Farm, Moment, Put, Refused, Row, audit, refuse_unless
from commander.fleet.enrolment import desire
from commander.mining import playbooks, rollouts, software, templates
from commander.mining.miners import document
from commander.mining.records import with_puts
from commander.mining.rollouts import DOCUMENT, node_row
from schema.message import is_id


class Change(NamedTuple):
    """`puts`: the new records; `money`: pools, addresses or coins among them; `canary`: a group that gets it first;
    `nodes`: whose documents may differ for other reasons.
    """

    what: str
    subject: str
    puts: list[Put]
    money: bool = False
    canary: str = ""
    nodes: frozenset[str] = frozenset()


class Issued(NamedTuple):
    """What a change does: the rollout's row (None: no document differs), nodes that an older trial holds back."""

    rollout: Row | None
    left: dict[str, str]
    effects: Effects


def save(farm: Farm, change: Change, moment: Moment) -> Issued:
    """The change, its documents and its entry in the audit log; Refused when a node could not have what it says."""
    issued = issue(farm, change, moment)
    entry = {
        "before": [_data(farm[put.table].get(put.key)) for put in _main(change)],
        "after": [_data(put.row) for put in _main(change)],
        "rollout": issued.rollout["id"] if issued.rollout else "",
        "canary": change.canary,
    }
    entry |= {name: entry[name][0] for name in ("before", "after") if len(entry[name]) == 1}
    return issued._replace(effects=[*change.puts, *issued.effects, audit(moment, change.what, change.subject, entry)])


def issue(farm: Farm, change: Change, moment: Moment) -> Issued:
    """The documents of a change, without its records themselves."""
    after = with_puts(farm, change.puts)
    names = affected(farm, after, change.puts)
    trial = _trial_of(farm, change.puts)
    canary = _canary(trial, change.canary)
    concerned = {*change.nodes, *_nodes_of(farm, names), *_nodes_of(after, names), *(trial["nodes"] if trial else ())}
    sent: dict[str, Row] = {}
    rows: dict[str, Row] = {}
    left: dict[str, str] = {}
    for node in sorted(concerned & after["node"].keys()):
        data = wanted(after, node)
        differs = data != present(farm, node)
        holder = rollouts.holder_of(farm, node)
        other = other_trial(farm, after, node, trial)
        if holder and holder != (trial["id"] if trial else ""):
            left |= {node: holder} if differs else {}
        elif not differs:
            if holder:
                rows[node] = node_row(holder, node, "superseded", moment.now)
        elif canary and (holder or _group(after, node) != canary):
            rows[node] = node_row("", node, "held", moment.now)
        elif other:
            left[node] = other["id"]
        else:
            sent[node] = data
    if canary and not trial and not sent:
        raise Refused("canary", f"no node whose document changes is in the group {canary}")
    effects = held(farm, left, moment.now)
    for node, data in sent.items():
        puts, rev = desired(farm, node, data, moment)
        effects += puts
        rows[node] = node_row("", node, "pending", moment.now, rev)
    if not rows:
        return Issued(trial, left, effects)
    rollout = _rollout(farm, change, trial, canary, names, rows, moment)
    rows = {node: {**row, "rollout": rollout["id"]} for node, row in rows.items()}
    effects += [Put("rollout", rollout["id"], rollout)]
    effects += [Put("rollout_node", (rollout["id"], node), row) for node, row in rows.items()]
    so_far = with_puts(farm, [effect for effect in effects if isinstance(effect, Put)])
    effects += rollouts.superseded(so_far, sent, rollout["id"], moment.now)
    return Issued(rollout, left, [*effects, *rollouts.forgotten(farm)])


def wanted(farm: Farm, node: str) -> Row:
    """A node's document as the records say; Refused when it cannot be made."""
    data, problems = document(farm, farm["node"][node])
    if problems:
        first = problems[0]
        raise Refused(first.field, f"{first.problem} (playbook {first.playbook} on {node})")
    return data


def affected(farm: Farm, after: Farm, puts: Iterable[Put]) -> set[str]:
    """Names of the playbooks that changed records are part of, before or after."""
    found: set[str] = set()
    for put in puts:
        for known in (farm, after):
            match put.table:
                case "playbook":
                    found.add(put.key)
                case "template":
                    every = list(known["playbook"].values())
                    found |= {row["name"] for row in every if put.key in templates.mentioned(known, row["data"])}
                case "software":
                    found |= set(software.users_of(known, put.key, None))
                case "software_release":
                    found |= set(software.users_of(known, put.key[0], put.key[1]))
                case _:
                    pass
    return found


def _rollout(
    farm: Farm, change: Change, trial: Row | None, canary: str, names: set[str], rows: dict[str, Row], moment: Moment
) -> Row:
    old = trial or {
        **{"id": "r-" + moment.dice(4).hex(), "created": moment.now, "by": moment.by, "why": _why(change)},
        **{"canary": canary, "money": 0, "records": [], "playbooks": [], "nodes": []},
    }
    known = {(each["table"], str(each["key"])) for each in old["records"]}
    added = [
        {"table": put.table, "key": put.key, "before": farm[put.table].get(put.key)}
        for put in _main(change)
        if (put.table, str(_plain(put.key))) not in known
    ]
    states = {node: row["state"] for node, row in (rollouts.rows_of(farm, trial) if trial else {}).items()}
    states |= {node: row["state"] for node, row in rows.items()}
    trying = bool(canary) and "held" in states.values()
    return {
        **old,
        "updated": moment.now,
        "state": rollouts.state_of(trying, states.values()),
        "trial": int(trying),
        "money": int(old["money"] or change.money),
        "records": [*old["records"], *({**each, "key": _plain(each["key"])} for each in added)],
        "playbooks": sorted({*old["playbooks"], *names}),
        "nodes": sorted({*old["nodes"], *rows}),
    }


def _why(change: Change) -> str:
    return f"{change.what}: {change.subject}"


def _plain(key: Any) -> Any:
    """A key as JSON keeps it."""
    return key if isinstance(key, str) else list(key)


def _main(change: Change) -> list[Put]:
    """The records of a change, without the version that is kept of a playbook."""
    return [put for put in change.puts if put.table != "playbook_version"]


def _data(row: Row | None) -> Row | None:
    if row is None:
        return None
    return row["data"] if "data" in row else {"group": row["group"], "tags": row["tags"]}


def _canary(trial: Row | None, asked: str) -> str:
    if asked:
        refuse_unless(is_id, "canary", asked)
    if trial and asked not in ("", trial["canary"]):
        what = f"rollout {trial['id']} is on trial in the group {trial['canary']}"
        raise Refused("canary", f"{what}: continue or cancel it first", 409)
    return trial["canary"] if trial else asked


def _trial_of(farm: Farm, puts: Iterable[Put]) -> Row | None:
    """The open trial that one of the records belongs to."""
    keys = {(put.table, str(_plain(put.key))) for put in puts}
    for rollout in rollouts.trials(farm):
        if any((each["table"], str(each["key"])) in keys for each in rollout["records"]):
            return rollout
    return None


def other_trial(farm: Farm, after: Farm, node: str, own: Row | None) -> Row | None:
    """A trial that a node outside of its canary group would get into by what it has now got to do with."""
    for rollout in rollouts.trials(farm):
        if own and rollout["id"] == own["id"]:
            continue
        row = farm["rollout_node"].get((rollout["id"], node))
        if (row is None or row["state"] == "held") and _group(after, node) != rollout["canary"]:
            rows = (after["playbook"].get(name) for name in rollout["playbooks"])
            if any(each and playbooks.targeted(after, each["data"], after["node"][node]) for each in rows):
                return rollout
    return None


def held(farm: Farm, left: dict[str, str], now: int) -> Effects:
    """node -> rollout that holds it back from now on, unless it does already."""
    effects: Effects = []
    for rollout_id in sorted({*left.values()}):
        rollout = farm["rollout"][rollout_id]
        new = [node for node, by in left.items() if by == rollout_id and (by, node) not in farm["rollout_node"]]
        if new:
            nodes = sorted({*rollout["nodes"], *new})
            effects.append(Put("rollout", rollout_id, {**rollout, "nodes": nodes, "updated": now}))
        effects += [Put("rollout_node", (rollout_id, node), node_row(rollout_id, node, "held", now)) for node in new]
    return effects


def desired(farm: Farm, node: str, data: Row, moment: Moment) -> tuple[Effects, int]:
    """Effects of a new document, and its revision."""
    effects = desire(farm, node, DOCUMENT, data, moment)
    rev = next(put.row["rev"] for put in effects if isinstance(put, Put) and put.table == "desired" and put.row)
    if (node, "self", DOCUMENT) in farm["alert"]:
        effects.append(Put("alert", (node, "self", DOCUMENT), None))
    return effects, rev


def present(farm: Farm, node: str) -> Row:
    row = farm["desired"].get((node, DOCUMENT))
    return row["data"] if row else {"miners": []}


def _group(farm: Farm, node: str) -> str:
    label = farm["label"].get(node)
    return label["group"] if label else ""


def _nodes_of(farm: Farm, names: Iterable[str]) -> set[str]:
    rows = [farm["playbook"][name] for name in names if name in farm["playbook"]]
    return {node for row in rows for node in playbooks.nodes_of(farm, row["data"])}
