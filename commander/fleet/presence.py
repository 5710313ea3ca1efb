"""Whether a node is there: its state word, the bridges towards it, and when it was last heard, taken together. Pure.

The retained word alone is never believed: a broker and a node that die together leave `ready` behind, and a cut bridge
freezes everything behind it.
"""

from commander.effects import Farm, Row

# How often it is noted that a node spoke.
HEARD_STEP_MS = 1_000
# What a page shows. The first five are the node's own words.
PRESENCES = ("ready", "init", "sleeping", "disconnected", "lost", "unreachable", "unheard", "new")


def listening_since(farm: Farm, domain: str) -> int | None:
    """Since when (ms) messages of a domain can reach the commander without a break; None while they cannot."""
    door = farm["door"].get(domain)
    if door is None or not door["up"]:
        return None
    since: int = door["since"]
    for name in door["links"]:
        link = farm["link"].get(name)
        if link is None or not link["up"]:
            return None
        since = max(since, link["since"])
    return since


def presence(farm: Farm, node: Row, now: int) -> str:
    """One of PRESENCES.

    `unreachable`: the way to its domain is cut. `unheard`: the way is open again but the node has not spoken since.
    `lost`: it said so by its will, or has been silent longer than its birth announced. `new`: enrolled, never seen.
    A node that is heard after its word said that it is gone is `ready` (docs/decisions/0015).
    """
    word: str = node["state"]
    if not word:
        return "new"
    since = listening_since(farm, node["domain"])
    if since is None:
        return "unreachable"
    heard_row = farm["heard"].get(node["id"])
    heard: int = heard_row["ts"] if heard_row else 0
    if word in ("disconnected", "lost"):
        if heard <= node["state_at"] + HEARD_STEP_MS:
            return word
        word = "ready"
    alive: int = (node["alive_ms"] or 60_000) + HEARD_STEP_MS
    if now - heard <= alive and heard >= since:
        return word
    return "unheard" if now - since <= alive else "lost"
