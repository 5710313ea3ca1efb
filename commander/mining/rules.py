"""What each message of a miner does. Pure: (farm, address, data, moment) -> effects; Invalid refuses the message."""

from commander.effects import Effects, Farm, Moment, Put, Row
from commander.fleet.rules import FRESH_MS, Rule, count, heard, known_node
from commander.fleet.rules import on_reported as reported
from commander.mining import rollouts
from schema.topics import Address


def on_share(farm: Farm, at: Address, data: Row, moment: Moment) -> Effects:
    """Counted in its stream, so that the node may delete it, and not kept: a rig finds millions in a year. Accepted and
    refused ones are in the gateway's telemetry."""
    known_node(farm, at)
    counted = count(farm, at.node, data["stream"], data["seq"], data["seq"], moment.now)
    if counted is None:
        return []
    if moment.now - data["ts"] <= FRESH_MS:
        counted += heard(farm, at.node, moment)
    return counted


def on_reported(farm: Farm, at: Address, data: Row, moment: Moment) -> Effects:
    """A node's answer to a document is also one to the rollout that brought it."""
    effects = reported(farm, at, data, moment)
    rows = [effect.row for effect in effects if isinstance(effect, Put) and effect.table == "reported"]
    return effects + [effect for row in rows if row for effect in rollouts.on_reported(farm, row, moment.now)]


RULES: dict[str, Rule] = {"job/share": on_share, "reported": on_reported}
