"""What each message of a node does. Pure: (farm, address, data, moment) -> effects; Invalid refuses the message.

RULES at the end is the table message -> rule, and names everything the commander subscribes to.
"""

from collections.abc import Callable
from typing import Any

from commander.effects import Add, Effects, Farm, Moment, Put, Row
from commander.fleet import marks
from commander.fleet.hashes import hashed_id
from commander.fleet.presence import HEARD_STEP_MS, presence
from schema.message import Invalid
from schema.topics import Address

# An event this old came out of a queue: it does not prove that its sender is alive.
FRESH_MS = 10_000
# A sender whose clock is ahead must not keep its own newer values out for longer than this.
AHEAD_MS = 60_000
PROOF_AFTER_MS = 3_000  # what was under way when a bridge broke has arrived by then
COMMANDS_KEPT_MS = 7 * 86_400_000
ENVELOPE = ("ts", "stream", "seq")

Rule = Callable[[Farm, Address, Any, Moment], Effects]


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


def on_state(farm: Farm, at: Address, data: str, moment: Moment) -> Effects:
    node = known_node(farm, at)
    if at.device != "self" or node["state"] == data:
        return []
    return [Put("node", at.node, {**node, "state": data, "state_at": moment.now})]


def on_info(farm: Farm, at: Address, data: Row, moment: Moment) -> Effects:
    node = known_node(farm, at)
    if at.device != "self":
        return []
    new = {**node, "info": data, "parts": data["parts"], "boot": data["boot"], "alive_ms": data["alive_ms"]}
    return [Put("node", at.node, new)] if new != node else []


def on_tele(farm: Farm, at: Address, data: Row, moment: Moment) -> Effects:
    node = known_node(farm, at)
    check_part(node, at.name, data)
    now = moment.now
    seq = data.get("seq")
    series = hashed_id(at.node, at.device, at.name)
    if seq is None:
        effects = heard(farm, at.node, moment)
        effects += way_is_open(farm, at.domain, now) if effects else []
        stream_id = None
    else:
        counted = count(farm, at.node, _stream(data), seq, seq, now)
        if counted is None:
            return []
        effects = counted
        stream_id = counted[0].key  # type: ignore[union-attr]
        if now - data["ts"] <= FRESH_MS:
            effects += heard(farm, at.node, moment)
    values = {name: value for name, value in data.items() if name not in ENVELOPE}
    ts = data["ts"] or now
    effects.append(
        Add("telemetry", {"series": series, "ts": ts, "received": now, "stream": stream_id, "seq": seq, "data": values})
    )
    newest = farm["latest"].get(series)
    if newest is None or ts >= newest["ts"] or newest["ts"] > now + AHEAD_MS:
        row = {"series": series, "node": at.node, "device": at.device, "part": at.name}
        effects.append(Put("latest", series, {**row, "ts": ts, "received": now, "data": values}))
    return effects


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


def on_evt(farm: Farm, at: Address, data: Row, moment: Moment) -> Effects:
    known_node(farm, at)
    counted = count(farm, at.node, data["stream"], data["seq"], data["seq"], moment.now)
    if counted is None:
        return []
    if moment.now - data["ts"] <= FRESH_MS:
        counted += heard(farm, at.node, moment)
    counted.append(_event(at, data, moment.now, hashed_id(at.node, data["stream"]), data["seq"]))
    return counted


def on_gap(farm: Farm, at: Address, data: Row, moment: Moment) -> Effects:
    known_node(farm, at)
    if data["to"] < data["from"]:
        raise Invalid("to", "must not be below `from`")
    counted = count(farm, at.node, data["stream"], data["from"], data["to"], moment.now)
    if counted is None:
        return []
    text = f"{data['to'] - data['from'] + 1} events given up: {data['why']}"
    return [*counted, _event(at, data, moment.now), _raise(farm, at.node, "gap", "warning", text, moment.now)]


def on_refused(farm: Farm, at: Address, data: Row, moment: Moment) -> Effects:
    effects = on_evt(farm, at, data, moment)
    if effects:
        letter = {"ts": moment.now, "sender": at.node, "topic": data["topic"], "field": data["field"]}
        effects.append(Add("dead_letter", {**letter, "problem": data["problem"], "size": 0, "payload": ""}))
        text = f"refused {data['topic']}: {data['field']}: {data['problem']}"
        effects.append(_raise(farm, at.node, "refused", "warning", text, moment.now))
    return effects


def on_auth_refused(farm: Farm, at: Address, data: Row, moment: Moment) -> Effects:
    effects = on_evt(farm, at, data, moment)
    if effects:
        text = f"login refused on the broker of {at.domain}: client {data['client']} ({data['count']} times)"
        effects.append(_raise(farm, at.node, "login-refused", "warning", text, moment.now))
    return effects


def on_alert(farm: Farm, at: Address, data: Row | None, moment: Moment) -> Effects:
    known_node(farm, at)
    key = (at.node, at.device, at.name)
    if data is None:
        return [Put("alert", key, None)] if key in farm["alert"] else []
    row = {"node": at.node, "device": at.device, "name": at.name, "source": "node", **data}
    return [Put("alert", key, row)] if farm["alert"].get(key) != row else []


def on_reported(farm: Farm, at: Address, data: Row, moment: Moment) -> Effects:
    known_node(farm, at)
    row = {"node": at.node, "doc": at.name, "rev": data["rev"], "status": data["status"]}
    row |= {"error": data.get("error", ""), "data": data.get("data"), "updated": moment.now}
    return [Put("reported", (at.node, at.name), row)]


def on_ack(farm: Farm, at: Address, data: Row, moment: Moment) -> Effects:
    known_node(farm, at)
    command = farm["command"].get(data["id"])
    if command is None or command["node"] != at.node:
        raise Invalid("id", "no command of that id was sent to this node")
    if command["status"] in ("done", "failed", "refused"):
        return []
    answer = {
        "status": data["status"],
        "code": data.get("code", ""),
        "pct": data.get("pct"),
        "result": data.get("result"),
    }
    return [Put("command", data["id"], {**command, **answer, "updated": moment.now}), *heard(farm, at.node, moment)]


def on_log(farm: Farm, at: Address, data: Row, moment: Moment) -> Effects:
    known_node(farm, at)
    row = {"node": at.node, "ts": data["ts"] or moment.now, "level": data["level"], "text": data["text"]}
    return [Add("log", row), *heard(farm, at.node, moment)]


def on_bridge(farm: Farm, at: Address, data: str, moment: Moment) -> Effects:
    row = farm["link"].get(at.name)
    up = data == "1"
    if row is not None and row["up"] == up:
        return []
    return [Put("link", at.name, {"name": at.name, "up": up, "since": moment.now})]


def on_tick(farm: Farm, now: int) -> Effects:
    """Once a second: presences that changed become events and alerts, commands run out of time."""
    effects: Effects = []
    for node in farm["node"].values():
        seen = presence(farm, node, now)
        # `unheard` lasts until the node speaks or its time is up: not worth an event of its own.
        if seen not in (node["shown"], "unheard"):
            effects += _presence_changed(farm, node, seen, now)
    for command in farm["command"].values():
        if now - command["exp"] > COMMANDS_KEPT_MS:
            effects.append(Put("command", command["id"], None))
            continue
        if command["status"] in ("sent", "accepted", "progress") and now > command["exp"]:
            effects.append(Put("command", command["id"], {**command, "status": "timeout", "updated": now}))
    return effects


def _presence_changed(farm: Farm, node: Row, seen: str, now: int) -> Effects:
    data = {"from": node["shown"], "to": seen}
    row = {"node": node["id"], "device": "self", "type": "presence", "ts": now, "received": now}
    effects: Effects = [
        Put("node", node["id"], {**node, "shown": seen}),
        Add("event", {**row, "stream": None, "seq": None, "data": data}),
    ]
    key = (node["id"], "self", "absent")
    if seen in ("lost", "unreachable"):
        text = f"{node['id']} is {seen}"
        effects.append(_raise(farm, node["id"], "absent", "error", text, now))
    elif key in farm["alert"]:
        effects.append(Put("alert", key, None))
    return effects


def _raise(farm: Farm, node: str, name: str, severity: str, text: str, now: int) -> Put:
    key = (node, "self", name)
    since = farm["alert"][key]["since"] if key in farm["alert"] else now
    row = {"node": node, "device": "self", "name": name, "since": since, "severity": severity, "text": text}
    return Put("alert", key, {**row, "source": "commander"})


def _event(at: Address, data: Row, now: int, stream: int | None = None, seq: int | None = None) -> Add:
    values = {name: value for name, value in data.items() if name not in ENVELOPE}
    row = {"node": at.node, "device": at.device, "type": at.name, "ts": data["ts"] or now, "received": now}
    return Add("event", {**row, "stream": stream, "seq": seq, "data": values})


def _stream(data: Row) -> str:
    if "stream" not in data:
        raise Invalid("stream", "missing beside seq")
    stream: str = data["stream"]
    return stream


def _names(of: Row) -> str:
    return ", ".join(sorted(of)) or "nothing"


RULES: dict[str, Rule] = {
    "state": on_state,
    "info": on_info,
    "tele": on_tele,
    "evt": on_evt,
    "evt/gap": on_gap,
    "evt/refused": on_refused,
    "evt/auth-refused": on_auth_refused,
    "alert": on_alert,
    "reported": on_reported,
    "ack": on_ack,
    "log": on_log,
    "bridge": on_bridge,
}
