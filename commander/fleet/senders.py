"""What every rule asks of a message's sender: who it is, whether it speaks now, how far its stream is stored. Pure."""

from commander.effects import Effects, Farm, Moment, Put, Row
from commander.fleet import marks
from commander.fleet.hashes import hashed_id
from commander.fleet.presence import HEARD_STEP_MS
from schema.message import Invalid
from schema.topics import Address

# An event this old came out of a queue: it does not prove that its sender is alive.
FRESH_MS = 10_000
PROOF_AFTER_MS = 3_000  # what was under way when a bridge broke has arrived by then
ENVELOPE = ("ts", "stream", "seq")


def known_node(farm: Farm, at: Address) -> Row:
    """The sender's row; Invalid when nobody of that name is enrolled in that domain."""
    node = farm["node"].get(at.node)
    if node is None:
        raise Invalid("topic.node", f"{at.node} is not enrolled")
    if node["domain"] != at.domain:
        raise Invalid("topic.domain", f"{at.node} is enrolled in {node['domain']}, not in {at.domain}")
    return node


def heard(farm: Farm, node_id: str, moment: Moment) -> Effects:
    """Note that the node spoke now, at most once a second."""
    row = farm["heard"].get(node_id)
    if moment.retained or (row is not None and moment.now - row["ts"] < HEARD_STEP_MS):
        return []
    return [Put("heard", node_id, {"node": node_id, "ts": moment.now})]


def way_is_open(farm: Farm, domain: str, now: int) -> Effects:
    """Brokers keep no QoS 0 message for a bridge that is down: one that arrives proves every bridge on its way.

    Needed because a broker that dials two bridges can deliver the notification of one just before the other is up, and
    the nearer broker then keeps the old word (docs/decisions/0008).
    """
    effects: Effects = []
    for name in farm["door"][domain]["links"] if domain in farm["door"] else ():
        row = farm["link"].get(name)
        if row is None or (not row["up"] and now - row["since"] > PROOF_AFTER_MS):
            effects.append(Put("link", name, {"name": name, "up": True, "since": now}))
    return effects


def count(farm: Farm, node_id: str, stream: str, low: int, high: int, now: int) -> Effects | None:
    """Move the mark of a stream over low..high; None when all of it was there, or for one too many holes
    to remember.
    """
    stream_id = hashed_id(node_id, stream)
    row = farm["stream"].get(stream_id)
    mark: int = row["mark"] if row else 0
    ahead: marks.Ranges = row["ahead"] if row else []
    noted = marks.note(mark, ahead, low, high)
    if noted is None or noted == (mark, ahead):
        return None
    new = {"id": stream_id, "node": node_id, "name": stream, "mark": noted[0], "ahead": noted[1], "updated": now}
    return [Put("stream", stream_id, new)]
