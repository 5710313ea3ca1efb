"""Which group a node is in, and its tags. Pure."""

from commander.effects import Farm, Moment, Put, Refused, Row, refuse_unless
from schema.message import is_id

MOST_TAGS = 32


def kind_of(farm: Farm, node: str) -> str:
    """Kind of a node, or of one that a token is waiting for; empty: nobody knows it."""
    if node in farm["node"]:
        return farm["node"][node]["kind"]
    tokens = list(farm["token"].values())
    return next((token["kind"] for token in tokens if token["name"] == node and not token["used"]), "")


def names(farm: Farm) -> list[str]:
    """Every node, and whoever has a label already."""
    return sorted({*list(farm["node"]), *list(farm["label"])})


def of(farm: Farm, node: str) -> Row:
    """A node's label, also when nobody has given it one."""
    row = farm["label"].get(node)
    return row or {"node": node, "group": "", "tags": [], "updated": 0, "by": ""}


def labelled(farm: Farm, node: str, group: str, tags: list[str], moment: Moment) -> Put:
    """A node's new group (may be empty) and tags."""
    if not kind_of(farm, node):
        raise Refused("node", f"{node[:64]} does not exist, and no token was made for it", 404)
    if group:
        refuse_unless(is_id, "group", group)
    for tag in tags:
        refuse_unless(is_id, "tags", tag)
    found = sorted({*tags})
    if len(found) > MOST_TAGS:
        raise Refused("tags", f"must be at most {MOST_TAGS}")
    row = {"node": node, "group": group, "tags": found, "updated": moment.now, "by": moment.by}
    return Put("label", node, row if group or found else None)
