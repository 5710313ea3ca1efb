"""What people and programs ask of the farm: commands, documents, removal of nodes. Pure."""

from typing import Any

from broker.users import is_grant
from commander.effects import Effects, Farm, Moment, Put, Refused, Row, Send, audit, refuse_unless
from commander.fleet.enrolment import STEWARD, check_size, credentials, desire
from schema import fleet
from schema.message import is_id, is_json, is_name
from schema.questions import QUESTION

MAX_TIMEOUT_S = 3_600
MAX_GRANTS = 1_000


def command(farm: Farm, node_id: str, name: str, args: Any, timeout_s: int, moment: Moment) -> tuple[Row, Effects]:
    """Send a command: (its row, effects). The row changes as acknowledgements come; `timeout` after timeout_s."""
    row, effects = _sent("c-", farm, node_id, name, args, timeout_s, moment)
    return row, [*effects, audit(moment, f"command {name}", node_id, {"id": row["id"], "args": args})]


def question(farm: Farm, node_id: str, name: str, args: Any, timeout_s: int, moment: Moment) -> tuple[Row, Effects]:
    """Send a command that changes nothing, and may be sent each second: it is in no log and no list, and forgotten
    after timeout_s."""
    return _sent(QUESTION, farm, node_id, name, args, timeout_s, moment)


def _sent(
    prefix: str, farm: Farm, node_id: str, name: str, args: Any, timeout_s: int, moment: Moment
) -> tuple[Row, Effects]:
    node = _node(farm, node_id)
    refuse_unless(is_name, "name", name)
    refuse_unless(is_json, "args", args)
    if not 1 <= timeout_s <= MAX_TIMEOUT_S:
        raise Refused("timeout_s", f"must be from 1 to {MAX_TIMEOUT_S}")
    if not isinstance(args, dict):
        raise Refused("args", "must be an object")
    check_size("args", args)
    command_id = prefix + moment.dice(8).hex()
    row: Row = {
        **{"id": command_id, "node": node_id, "name": name, "args": args, "by": moment.by},
        **{"created": moment.now, "exp": moment.now + timeout_s * 1000, "updated": moment.now},
        **{"status": "sent", "code": "", "pct": None, "result": None},
    }
    body: Row = {"id": command_id, "exp": row["exp"], "args": args}
    if node["boot"]:
        body["boot"] = node["boot"]
    durable = prefix != QUESTION  # an old question nobody waits for
    sent = Send(fleet.CMD, node["domain"], node_id, body, name=name, durable=durable)
    return row, [Put("command", command_id, row), sent]


def set_desired(
    farm: Farm, node_id: str, document: str, data: Any, if_rev: int | None, moment: Moment, again: bool = False
) -> Effects:
    """Set a desired document; if_rev: refuse (409) unless it is the revision that the farm has; again: a new revision
    although nothing changes, so that a node which failed tries once more.
    """
    _node(farm, node_id)
    refuse_unless(is_name, "document", document)
    refuse_unless(is_json, "data", data)
    if node_id.startswith(STEWARD) and document.startswith("credentials"):
        raise Refused("document", "credentials are made from tokens and nodes, not by hand", 403)
    old = farm["desired"].get((node_id, document))
    have = old["rev"] if old else 0
    if if_rev is not None and if_rev != have:
        raise Refused("rev", f"the farm has revision {have}, not {if_rev}", 409)
    effects = desire(farm, node_id, document, data, moment, again)
    if effects:
        effects.append(audit(moment, f"desired {document}", node_id, {"rev": have + 1}))
    return effects


def remove_node(farm: Farm, node_id: str, moment: Moment) -> Effects:
    """Delete a node: its credential, its state, its retained topics (by the steward). Its history stays."""
    node = _node(farm, node_id)
    if node_id.startswith(STEWARD):
        raise Refused("node", "a steward goes with its domain: take the domain out of farm.toml", 403)
    effects: Effects = [
        Put("node", node_id, None),
        Put("heard", node_id, None),
        *credentials(farm, node["domain"], moment, {}, {node_id: None}),
    ]
    # Marks stay: rows of these streams do too, and a node that comes back under this name goes on counting.
    for table in ("latest", "device", "alert", "desired", "reported", "command", "label", "rollout_node"):
        effects += [Put(table, key, None) for key, row in farm[table].items() if row["node"] == node_id]
    steward = STEWARD + node["domain"]
    old = farm["desired"].get((steward, "purge"))
    before: list[str] = old["data"]["nodes"] if old else []
    # The document replaces the one before, which the steward may not have read; who has come back since is no longer
    # meant.
    gone = [*(name for name in before if name not in farm["node"] and name != node_id), node_id][-500:]
    effects += desire(farm, steward, "purge", {"nodes": gone}, moment)
    effects.append(audit(moment, "node removed", node_id, {"domain": node["domain"]}))
    return effects


def set_grants(farm: Farm, node_id: str, grants: list[str], moment: Moment) -> Effects:
    """Replace what a node may do at its broker beyond the rights of every node."""
    node = _node(farm, node_id)
    if node_id.startswith(STEWARD):
        raise Refused("node", "a steward's rights come with its broker", 403)
    if len(grants) > MAX_GRANTS:
        raise Refused("grants", f"must be at most {MAX_GRANTS}")
    for grant in grants:
        if not is_grant(grant):
            raise Refused("grants", f"{grant[:80]!r} must be read|write|readwrite <filter>")
    if node["grants"] == grants:
        return []
    new = {**node, "grants": grants}
    return [
        Put("node", node_id, new),
        *credentials(farm, node["domain"], moment, {}, {node_id: new}),
        audit(moment, "grants set", node_id, {"grants": grants}),
    ]


def clear_alert(farm: Farm, node: str, device: str, name: str, moment: Moment) -> Effects:
    """Take an alert away; one that a node raised comes back when the node says it again."""
    key = (node, device, name)
    if key not in farm["alert"]:
        raise Refused("alert", f"there is no alert {name} of {node}/{device}", 404)
    return [Put("alert", key, None), audit(moment, "alert cleared", node, {"device": device, "name": name})]


def create_api_key(farm: Farm, name: str, role: str, key_hash: str, moment: Moment) -> tuple[Row, Effects]:
    """Record an API key by its hash: (its row, effects)."""
    if role not in ("reader", "operator", "admin"):
        raise Refused("role", "must be one of: reader, operator, admin")
    if not 0 < len(name) <= 64 or not name.isprintable():
        raise Refused("name", "must have 1 to 64 printable characters")
    row: Row = {"id": "k-" + moment.dice(4).hex(), "name": name, "role": role, "hash": key_hash, "created": moment.now}
    return row, [
        Put("api_key", row["id"], row),
        audit(moment, "API key created", row["id"], {"role": role, "name": name}),
    ]


def delete_api_key(farm: Farm, key_id: str, moment: Moment) -> Effects:
    """Forget an API key."""
    if key_id not in farm["api_key"]:
        raise Refused("id", f"there is no API key {key_id}", 404)
    return [Put("api_key", key_id, None), audit(moment, "API key deleted", key_id, {})]


def _node(farm: Farm, node_id: str) -> Row:
    refuse_unless(is_id, "node", node_id)
    node = farm["node"].get(node_id)
    if node is None:
        raise Refused("node", f"{node_id} does not exist", 404)
    return node
