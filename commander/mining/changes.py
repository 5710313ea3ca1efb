"""What people ask of templates, software, playbooks and labels: each answers (what to tell them, effects). Pure.

The answer is {what was saved, `rollout`: the rollout it became or null, `left`: node -> older rollout that holds it
back}.
"""

from typing import Any

from commander.effects import Effects, Farm, Moment, Put, Refused, Row
from commander.mining import issue, labels, playbooks, rollouts, software, templates, trials
from commander.mining.issue import Change, Issued
from commander.mining.miners import document
from commander.mining.records import record, refuse_other_version, with_puts

Answer = tuple[Row, Effects]


def save_template(
    farm: Farm, kind: str, name: str, data: Any, if_version: int | None, canary: str, moment: Moment
) -> Answer:
    data = templates.checked(farm, kind, name, data)
    old = farm["template"].get((kind, name))
    refuse_other_version(old, if_version)
    row = record(old, {"kind": kind, "name": name}, data, moment)
    change = Change(f"{kind} saved", name, [Put("template", (kind, name), row)], money=True, canary=canary)
    return _saved(farm, change, moment, "template", row)


def remove_template(farm: Farm, kind: str, name: str, moment: Moment) -> Answer:
    return _saved(
        farm, Change(f"{kind} removed", name, [templates.removed(farm, kind, name)]), moment, "template", None
    )


def save_software(farm: Farm, name: str, data: Any, moment: Moment) -> Answer:
    data = software.checked(name, data)
    row = record(farm["software"].get(name), {"name": name}, data, moment)
    return _saved(farm, Change("software saved", name, [Put("software", name, row)]), moment, "software", row)


def remove_software(farm: Farm, name: str, moment: Moment) -> Answer:
    return _saved(farm, Change("software removed", name, [software.removed(farm, name)]), moment, "software", None)


def save_release(farm: Farm, name: str, release: str, platform: str, data: Any, canary: str, moment: Moment) -> Answer:
    data = software.checked_release(farm, name, release, platform, data)
    key = (name, release, platform)
    row = record(
        farm["software_release"].get(key), {"software": name, "release": release, "platform": platform}, data, moment
    )
    change = Change("release saved", " ".join(key), [Put("software_release", key, row)], canary=canary)
    return _saved(farm, change, moment, "release", row)


def remove_release(farm: Farm, name: str, release: str, platform: str, moment: Moment) -> Answer:
    put = software.removed_release(farm, name, release, platform)
    return _saved(farm, Change("release removed", f"{name} {release} {platform}", [put]), moment, "release", None)


def save_playbook(
    farm: Farm, name: str, data: Any, if_version: int | None, note: str, canary: str, moment: Moment
) -> Answer:
    old = farm["playbook"].get(name)
    refuse_other_version(old, if_version)
    data = playbooks.checked(farm, name, data, _token(old, moment))
    if old and old["data"] == data:
        return {"playbook": old, "rollout": None, "left": {}}, []
    puts = playbooks.next_version(farm, name, data, note or ("changed" if old else "made"), moment)
    return _saved(farm, Change("playbook saved", name, puts, canary=canary), moment, "playbook", puts[0].row)


def restore_playbook(farm: Farm, name: str, version: int, canary: str, moment: Moment) -> Answer:
    """An older version becomes the newest."""
    past = farm["playbook_version"].get((name, version))
    if past is None or past["data"] is None:
        raise Refused("version", f"there is no version {version} of playbook {name[:64]} to restore", 404)
    return save_playbook(farm, name, past["data"], None, f"version {version} restored", canary, moment)


def remove_playbook(farm: Farm, name: str, canary: str, moment: Moment) -> Answer:
    """Its miners go; its versions stay."""
    if name not in farm["playbook"]:
        raise Refused("name", f"there is no playbook {name[:64]}", 404)
    puts = playbooks.next_version(farm, name, None, "removed", moment)
    return _saved(farm, Change("playbook removed", name, puts, canary=canary), moment, "playbook", None)


def preview(farm: Farm, name: str, data: Any, moment: Moment) -> Row:
    """What each node would get if the playbook were saved; nothing is. Refused for what is wrong everywhere."""
    old = farm["playbook"].get(name)
    full = playbooks.checked(farm, name, data, _token(old, moment))
    puts = playbooks.next_version(farm, name, full, "", moment)
    after = with_puts(farm, puts)
    before = playbooks.nodes_of(farm, old["data"]) if old else set[str]()
    now = playbooks.nodes_of(after, full)
    shown = [_previewed(farm, after, node, name, node in now) for node in sorted(before | now)]
    return {"name": name, "version": puts[1].key[1], "playbook": full, "nodes": shown}


def label(farm: Farm, node: str, group: str, tags: list[str], moment: Moment) -> Answer:
    put = labels.labelled(farm, node, group, tags, moment)
    change = Change("label set", node, [put], nodes=frozenset({node}))
    return _saved(farm, change, moment, "label", labels.of(with_puts(farm, [put]), node))


def continue_rollout(farm: Farm, rollout: str, admin: bool, moment: Moment) -> Answer:
    found = farm["rollout"].get(rollout)
    if found and found["money"] and not admin:
        raise Refused("role", f"{rollout} changes pools, addresses or coins: an admin continues it", 403)
    return _told(farm, trials.go_on(farm, rollout, moment))


def cancel_rollout(farm: Farm, rollout: str, moment: Moment) -> Answer:
    return _told(farm, trials.cancel(farm, rollout, moment))


def _previewed(farm: Farm, after: Farm, node: str, name: str, targeted: bool) -> Row:
    data, problems = document(after, farm["node"][node])
    own = [miner for miner in data["miners"] if miner["name"] == name]
    present = farm["desired"].get((node, rollouts.DOCUMENT))
    return {
        "node": node,
        "miner": own[0] if own else None,
        "others": [miner["name"] for miner in data["miners"] if miner["name"] != name],
        "targeted": targeted,
        "differs": data != (present["data"] if present else {"miners": []}),
        "held_by": rollouts.holder_of(farm, node),
        "problems": [problem._asdict() for problem in problems],
    }


def _saved(farm: Farm, change: Change, moment: Moment, word: str, row: Row | None) -> Answer:
    answer, effects = _told(farm, issue.save(farm, change, moment))
    return {word: row, **answer}, effects


def _told(farm: Farm, issued: Issued) -> Answer:
    after = with_puts(farm, [effect for effect in issued.effects if isinstance(effect, Put)])
    shown = rollouts.shown(after, issued.rollout, nodes=False) if issued.rollout else None
    return {"rollout": shown, "left": issued.left}, issued.effects


def _token(old: Row | None, moment: Moment) -> str:
    """API tokens are made once and kept, or each save would restart the miner."""
    kept = old["data"]["api"].get("token") if old else None
    return kept or moment.dice(16).hex()
