"""What a receiver of signed messages must refuse although the signature holds: replayed, outdated,
expired, from an old epoch.

What a receiver remembers is a plain dict, kept on disk: {"epoch": int, "revs": {document: rev},
"ids": [last command ids]}.
"""

from schema.errors import Invalid

REMEMBERED_IDS = 32


def judge_epoch(seen, body):
    """Refuse a body from an older epoch than one already seen signed."""
    if body["epoch"] < seen.get("epoch", 0):
        raise Invalid("epoch", "%d is older than %d, seen before" % (body["epoch"], seen["epoch"]))


def accept_desired(seen, document, body):
    """What to remember after accepting a desired document. The same revision again is no error but
    changes nothing.

    Returns (new seen, fresh): fresh is False for the revision that the node already has.
    """
    judge_epoch(seen, body)
    known = seen.get("revs", {}).get(document, 0)
    if body["rev"] < known:
        raise Invalid("rev", "%d is older than %d, seen before" % (body["rev"], known))
    revs = dict(seen.get("revs", {}))
    revs[document] = body["rev"]
    new = dict(seen)
    new["revs"] = revs
    new["epoch"] = body["epoch"]
    return new, body["rev"] > known


def accept_command(seen, body, now, boot, retained=False):
    """What to remember after accepting a command; Invalid names why it is refused.

    now: ms since 1970, 0 while the clock is not set; then only a command for this very boot is
    accepted.
    """
    if retained:
        raise Invalid("retain", "a command must not be retained")
    judge_epoch(seen, body)
    if body["id"] in seen.get("ids", ()):
        raise Invalid("id", "was used before")
    meant_for = body.get("boot")
    if meant_for is not None and meant_for != boot:
        raise Invalid("boot", "is meant for another start of this node")
    if now == 0 and meant_for is None:
        raise Invalid("boot", "must be given while the node's clock is not set")
    if now and now > body["exp"]:
        raise Invalid("exp", "passed %d ms ago" % (now - body["exp"]))
    new = dict(seen)
    new["epoch"] = body["epoch"]
    new["ids"] = (list(seen.get("ids", ())) + [body["id"]])[-REMEMBERED_IDS:]
    return new
