"""Measured values: telemetry, and the mirrors of frame streams. Pure."""

from commander.effects import Add, Effects, Farm, Moment, Put, Row
from commander.fleet.hashes import hashed_id
from commander.fleet.senders import ENVELOPE, FRESH_MS, count, heard, known_node, way_is_open
from schema.message import Invalid
from schema.topics import Address

# A sender whose clock is ahead must not keep its own newer values out for longer than this.
AHEAD_MS = 60_000


def on_tele(farm: Farm, at: Address, data: Row, moment: Moment) -> Effects:
    node = known_node(farm, at)
    check_part(node, at.name, data)
    seq = data.get("seq")
    if seq is None:
        return [*_heard_on_the_way(farm, at, moment), *_measured(farm, at, data, moment.now)]
    counted = count(farm, at.node, _stream(data), seq, seq, moment.now)
    if counted is None:
        return []
    if moment.now - data["ts"] <= FRESH_MS:
        counted += heard(farm, at.node, moment)
    stream_id = hashed_id(at.node, data["stream"])
    return [*counted, *_measured(farm, at, data, moment.now, stream_id, seq)]


def on_latest(farm: Farm, at: Address, data: Row, moment: Moment) -> Effects:
    """A mirror is a value worth losing that brokers and bridges say again: what is not newer than the one before is
    no new one, and only its own time proves that its sender spoke now.
    """
    node = known_node(farm, at)
    ts = data["ts"]
    if moment.retained and (ts == 0 or at.name not in node["parts"]):
        return []  # measured nobody knows when, or left behind by a stream that the node has no more
    check_part(node, at.name, data)
    newest = farm["latest"].get(hashed_id(at.node, at.device, at.name))
    if ts and newest is not None and ts <= newest["ts"] <= moment.now + AHEAD_MS:
        return []
    spoke = _heard_on_the_way(farm, at, moment) if moment.now - ts <= FRESH_MS else []
    return [*spoke, *_measured(farm, at, data, moment.now)]


def check_part(node: Row, part: str, data: Row) -> None:
    """Refuse fields that the birth did not announce, and words where it announced a unit. Before the birth: nothing
    to hold against.
    """
    if not node["boot"]:
        return
    fields = node["parts"].get(part)
    if fields is None:
        raise Invalid("topic.name", f"part {part} is not in the node's birth; announced: {_names(node['parts'])}")
    for name, value in data.items():
        if name in ENVELOPE:
            continue
        unit = fields.get(name)
        if unit is None:
            raise Invalid(name, f"unknown field of part {part}; announced: {_names(fields)}")
        if unit and value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise Invalid(name, f"must be a number in {unit}")


def _measured(
    farm: Farm, at: Address, data: Row, now: int, stream_id: int | None = None, seq: int | None = None
) -> Effects:
    """The values as history, and as the latest of their part unless a newer one is known."""
    series = hashed_id(at.node, at.device, at.name)
    values = {name: value for name, value in data.items() if name not in ENVELOPE}
    ts = data["ts"] or now
    row = {"series": series, "ts": ts, "received": now, "stream": stream_id, "seq": seq, "data": values}
    effects: Effects = [Add("telemetry", row)]
    newest = farm["latest"].get(series)
    if newest is None or ts >= newest["ts"] or newest["ts"] > now + AHEAD_MS:
        part = {"series": series, "node": at.node, "device": at.device, "part": at.name}
        effects.append(Put("latest", series, {**part, "ts": ts, "received": now, "data": values}))
    return effects


def _heard_on_the_way(farm: Farm, at: Address, moment: Moment) -> Effects:
    effects = heard(farm, at.node, moment)
    return [*effects, *way_is_open(farm, at.domain, moment.now)] if effects else []


def _stream(data: Row) -> str:
    if "stream" not in data:
        raise Invalid("stream", "missing beside seq")
    stream: str = data["stream"]
    return stream


def _names(of: Row) -> str:
    return ", ".join(sorted(of)) or "nothing"
