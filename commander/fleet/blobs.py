"""Files that nodes pull: which there are, who may still need them, what a node's `blob/get` gives. Pure; their bytes
are in blob_edge.py.

A file is needed while a desired document names its SHA-256, or a needed file does: a manifest names the files of a
software version.
"""

import re

from commander.effects import Effects, Farm, Moment, Put, Refused, Row, SendBlob, audit
from commander.fleet.senders import known_node
from schema import wire
from schema.topics import Address

USED_STEP_MS = 3_600_000  # how often it is noted that somebody still asks for a file
MOST_NAMED = 4_096
LARGEST_MANIFEST = 256 * 1024
SHA256 = re.compile(r"\b[0-9a-f]{64}\b")


def on_blob_get(farm: Farm, at: Address, data: Row, moment: Moment) -> Effects:
    known_node(farm, at)
    row = farm["blob"].get(data["sha256"])
    total = row["size"] if row else 0
    asked = SendBlob(at.domain, at.node, at.device, data["sha256"], data["offset"], data["size"], total)
    if row and moment.now - row["used"] >= USED_STEP_MS:
        return [asked, Put("blob", row["sha256"], {**row, "used": moment.now})]
    return [asked]


def add(farm: Farm, sha256: str, size: int, name: str, names: list[str], moment: Moment) -> tuple[Row, Effects]:
    """A file whose bytes are stored: (its row, effects). One that is there already is as good as new."""
    old = farm["blob"].get(sha256)
    if old is not None:
        row = {**old, "used": moment.now}
        return row, [Put("blob", sha256, row)]
    row = {"sha256": sha256, "size": size, "name": name, "names": names, "by": moment.by}
    row |= {"created": moment.now, "used": moment.now}
    return row, [Put("blob", sha256, row), audit(moment, "blob added", sha256, {"size": size, "name": name})]


def remove(farm: Farm, sha256: str, moment: Moment) -> Effects:
    """Forget a file; Refused while somebody may need it."""
    if sha256 not in farm["blob"]:
        raise Refused("sha256", f"there is no blob {sha256}", 404)
    document = needed(farm).get(sha256)
    if document:
        raise Refused("sha256", f"is needed for {document}", 409)
    return [Put("blob", sha256, None), audit(moment, "blob removed", sha256, {})]


def prune(farm: Farm, unused_since: int) -> Effects:
    """Forget the files that nobody needs and nobody has asked for since."""
    old = [row["sha256"] for row in farm["blob"].values() if row["used"] < unused_since]
    keep = needed(farm) if old else {}
    return [Put("blob", sha256, None) for sha256 in old if sha256 not in keep]


def needed(farm: Farm) -> dict[str, str]:
    """SHA-256 of each file that is needed -> the document that it is needed for."""
    found: dict[str, str] = {}
    for row in farm["desired"].values():
        if not row["node"].startswith("steward-"):
            for sha256 in SHA256.findall(wire.dumps(row["data"]).decode()):
                found.setdefault(sha256, f"the document {row['doc']} of {row['node']}")
    waiting = list(found)
    while waiting:
        document = found[waiting[-1]]
        blob = farm["blob"].get(waiting.pop())
        more = [sha256 for sha256 in blob["names"] if sha256 not in found] if blob else []
        found.update(dict.fromkeys(more, document))
        waiting += more
    return found


def names_in(data: bytes) -> list[str]:
    """Every SHA-256 that a file names, if it is a text of the size of a manifest."""
    if len(data) > LARGEST_MANIFEST:
        return []
    try:
        return sorted(set(SHA256.findall(data.decode())))[:MOST_NAMED]
    except UnicodeDecodeError:
        return []
