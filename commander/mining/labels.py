"""Which group a node is in, and its tags. Pure."""

from commander.effects import Farm, Moment, Put, Refused, Row
from commander.mining.records import refuse_unless
from schema.message import is_id

MOST_TAGS = 32


def of(farm: Farm, node: str) -> Row:
    """A node's label, also when nobody has given it one."""
    row = farm["label"].get(node)
    return row or {"node": node, "group": "", "tags": [], "updated": 0, "by": ""}


def labelled(farm: Farm, node: str, group: str, tags: list[str], moment: Moment) -> Put:
    """A node's new group (may be empty) and tags."""
    if node not in farm["node"]:
        raise Refused("node", f"{node[:64]} does not exist", 404)
    if group:
        refuse_unless(is_id, "group", group)
    for tag in tags:
        refuse_unless(is_id, "tags", tag)
    found = sorted({*tags})
    if len(found) > MOST_TAGS:
        raise Refused("tags", f"must be at most {MOST_TAGS}")
    row = {"node": node, "group": group, "tags": found, "updated": moment.now, "by": moment.by}
    return Put("label", node, row if group or found else None)
