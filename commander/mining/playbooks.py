"""What a playbook may say, and which nodes it is for. Pure.

{software, release, kind, mine: [{pool, address}], arguments, environment, api: {port, token}, gpus, schedule, watchdog,
nice, cpus, huge_pages, grace_s, targets: {nodes, groups, tags}}: docs/playbooks.md tells each. Its name is the name of
the miner that it becomes.
"""

import re
from typing import Any

from commander.effects import Farm, Moment, Put, Refused, Row, refuse_unless
from commander.mining import labels, software
from commander.mining.records import record, refuse_unless_template, refuse_unlike
from schema.message import Message, is_id

NODE_KIND = "cpu-gpu"
MOST_NAME = 57  # its device is `miner-<name>`, which is an id too
MOST_MINED = 2
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_SET_BY_SENTRY = ("PATH", "HOME", "LANG")

PLAYBOOK = Message(
    "playbook", "", "down", 1, False, "object",
    (
        ("software", "id", "", "name in the catalog"),
        ("release", "text 64", "", "one that the catalog has"),
        ("kind", "word cpu gpu", "", "with what it mines"),
        ("mine", "list json", "", "one or two: {pool, address}; solo without a pool"),
        ("arguments?", "list json", "", "those of the software unless given"),
        ("environment?", "map text 4096", "", "variables; placeholders as in arguments"),
        ("api?", "json", "", "{port, token}"),
        ("gpus?", "int 0..64", "", "cards it shall use"),
        ("schedule?", "list record window", "", "when it runs; none: always"),
        ("watchdog?", "list record watch", "", "what to do when it does not do well"),
        ("nice?", "int 0..19", "", ""),
        ("cpus?", "list int 0..4095", "", "processors it may use"),
        ("huge_pages?", "int 0..65536", "", "2 MB pages to reserve"),
        ("grace_s?", "int 5..3600", "s", "until it must be hashing"),
        ("targets", "json", "", "{nodes, groups, tags}: a node that is one of the nodes, or has one of the others"),
    ),
)  # fmt: skip
MINE = Message("mine", "", "down", 1, False, "object", (("pool?", "id", "", ""), ("address", "id", "", "")))
API = Message(
    "api", "", "down", 1, False, "object", (("port?", "int 1..65535", "", ""), ("token?", "text 128", "", ""))
)  # fmt: skip
TARGETS = Message(
    "targets", "", "down", 1, False, "object",
    (("nodes?", "list id", "", ""), ("groups?", "list id", "", ""), ("tags?", "list id", "", "")),
)  # fmt: skip


def checked(farm: Farm, name: str, data: Any, token: str) -> Row:
    """The playbook in its full form, with the API token `token` unless it has one; Refused says what is wrong."""
    refuse_unless(is_id, "name", name)
    if len(name) > MOST_NAME:
        raise Refused("name", f"must be at most {MOST_NAME} characters")
    refuse_unlike(PLAYBOOK, data)
    about = software.shown(farm, data["software"], 422)
    if data["kind"] not in about["mines"]:
        raise Refused("kind", f"{data['software']} mines with {', '.join(about['mines'])} only")
    releases = sorted({row["release"] for row in about["releases"]})
    if data["release"] not in releases:
        known = ", ".join(releases) or "none yet"
        raise Refused("release", f"{data['software']} has no release {data['release'][:64]!r}; known: {known}")
    found: Row = {"arguments": about["arguments"], "environment": {}, "schedule": [], "watchdog": [], **data}
    software.refuse_arguments("arguments", found["arguments"])
    for variable, value in found["environment"].items():
        if not _VARIABLE.fullmatch(variable) or variable in _SET_BY_SENTRY or variable.startswith(("LD_", "DYLD_")):
            allowed = f"letters, digits and _, but not {', '.join(_SET_BY_SENTRY)}, nor what begins with LD_"
            raise Refused(f"environment.{variable[:64]}", f"must be {allowed}")
        refuse_unless_template(f"environment.{variable}", value)
    found["mine"] = _mine(farm, data["mine"])
    found["api"] = _api(about, data.get("api", {}), token)
    found["targets"] = _targets(farm, data["targets"])
    _refuse_windows(found["schedule"])
    _refuse_watches(found["watchdog"])
    return found


def targeted(farm: Farm, playbook: Row, node: Row) -> bool:
    """Whether a playbook (its data) is for a node."""
    if node["kind"] != NODE_KIND:
        return False
    targets, label = playbook["targets"], farm["label"].get(node["id"])
    if node["id"] in targets["nodes"]:
        return True
    return label is not None and (label["group"] in targets["groups"] or bool({*label["tags"]} & {*targets["tags"]}))


def nodes_of(farm: Farm, playbook: Row) -> set[str]:
    """Ids of the nodes that a playbook is for."""
    return {node["id"] for node in list(farm["node"].values()) if targeted(farm, playbook, node)}


def next_version(farm: Farm, name: str, data: Row | None, note: str, moment: Moment) -> list[Put]:
    """Make `data` the present version (None: it is removed); all that were stay."""
    old = farm["playbook"].get(name)
    last = max((version for known, version in list(farm["playbook_version"]) if known == name), default=0)
    past = {"name": name, "version": last + 1, "data": data, "note": note, "created": moment.now, "by": moment.by}
    kept = Put("playbook_version", (name, last + 1), past)
    if data is None:
        return [Put("playbook", name, None), kept]
    row = {**record(old, {"name": name}, data, moment), "version": last + 1}
    return [Put("playbook", name, {**row, "created": old["created"] if old else moment.now}), kept]


def shown(row: Row, secrets: bool) -> Row:
    """A playbook or one of its versions as the API gives it; without `secrets`, its token is masked."""
    data = row["data"]
    if data and data["api"].get("token") and not secrets:
        data = {**data, "api": {**data["api"], "token": "***"}}
    return {**row, "data": data}


def difference(before: Row, after: Row) -> list[Row]:
    """Fields that differ: [{field, before, after}]; null where one has none."""
    names = sorted({*before, *after})
    return [
        {"field": name, "before": before.get(name), "after": after.get(name)}
        for name in names
        if before.get(name) != after.get(name)
    ]


def _mine(farm: Farm, given: list[Any]) -> list[Row]:
    if not 1 <= len(given) <= MOST_MINED:
        raise Refused("mine", f"must be 1 to {MOST_MINED} pairs of pool and address")
    found: list[Row] = []
    for number, each in enumerate(given):
        refuse_unlike(MINE, each, f"mine[{number}]")
        coins: dict[str, str] = {}
        for kind in ("pool", "address"):
            if kind in each:
                row = farm["template"].get((kind, each[kind]))
                if row is None:
                    raise Refused(f"mine[{number}].{kind}", f"there is no {kind} {each[kind]}")
                coins[kind] = row["data"]["coin"]
        if len({*coins.values()}) > 1:
            what = f"{each['pool']} is of {coins['pool']}, {each['address']} of {coins['address']}"
            raise Refused(f"mine[{number}]", f"pool and address must be of the same coin: {what}")
        found.append({kind: each[kind] for kind in ("pool", "address") if kind in each})
    return found


def _api(about: Row, given: Any, token: str) -> Row:
    refuse_unlike(API, given, "api")
    if about["adapter"] == "none":
        if given:
            raise Refused("api", f"{about['name']} has no adapter, so nobody would ask it")
        return {}
    if not about["api_port"] and "port" not in given:
        raise Refused("api.port", f"must be given: {about['name']} has no usual one")
    if any(not 33 <= ord(letter) < 127 for letter in given.get("token", "")):
        raise Refused("api.token", "must be printable ASCII without blanks")
    return {"token": token, **given} if not given.get("token") else given


def _targets(farm: Farm, given: Any) -> Row:
    refuse_unlike(TARGETS, given, "targets")
    found = {kind: sorted({*given.get(kind, [])}) for kind in ("nodes", "groups", "tags")}
    for name in found["nodes"]:
        kind = labels.kind_of(farm, name)
        if not kind:
            raise Refused("targets.nodes", f"there is no node {name}, and no token was made for it")
        if kind != NODE_KIND:
            raise Refused("targets.nodes", f"{name} is of the kind {kind}; only {NODE_KIND} runs playbooks")
    return found


def _refuse_windows(windows: list[Row]) -> None:
    for number, window in enumerate(windows):
        for end in ("from", "to"):
            if not _TIME.fullmatch(window[end]):
                raise Refused(f"schedule[{number}].{end}", "must be HH:MM, from 00:00 to 23:59")


def _refuse_watches(watches: list[Row]) -> None:
    for number, watch in enumerate(watches):
        if ("below" in watch) == ("above" in watch):
            raise Refused(f"watchdog[{number}]", "must have either `below` or `above`")
