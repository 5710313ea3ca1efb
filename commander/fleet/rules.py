"""What each message of a node does. Pure: (farm, address, data, moment) -> effects; Invalid refuses the message.

RULES at the end is the table message -> rule, and names everything the commander subscribes to.
"""

from collections.abc import Callable
from typing import Any

from commander.effects import Add, Effects, Farm, Moment, Put, Row
from commander.fleet.blobs import on_blob_get
from commander.fleet.hashes import hashed_id
from commander.fleet.presence import presence
from commander.fleet.senders import ENVELOPE, FRESH_MS, count, heard, known_node
from commander.fleet.telemetry import on_latest, on_tele
from schema.message import Invalid
from schema.questions import is_question
from schema.topics import Address

COMMANDS_KEPT_MS = 7 * 86_400_000
UNDER_WAY = ("sent", "accepted", "progress")

Rule = Callable[[Farm, Address, Any, Moment], Effects]


def on_state(farm: Farm, at: Address, data: str, moment: Moment) -> Effects:
    node = known_node(farm, at)
    if at.device != "self":
        return _device_changed(farm, at, moment, state=data)
    if node["state"] == data:
        return []
    return [Put("node", at.node, {**node, "state": data, "state_at": moment.now})]


def on_info(farm: Farm, at: Address, data: Row, moment: Moment) -> Effects:
    node = known_node(farm, at)
    if at.device != "self":
        return _device_changed(farm, at, moment, info=data)
    new = {**node, "info": data, "parts": data["parts"], "boot": data["boot"], "alive_ms": data["alive_ms"]}
    effects: Effects = [Put("node", at.node, new)] if new != node else []
    return effects + (_ended_with_a_start(farm, node, moment) if node["boot"] not in ("", data["boot"]) else [])


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
        if now - command["exp"] > (0 if is_question(command["id"]) else COMMANDS_KEPT_MS):
            effects.append(Put("command", command["id"], None))
            continue
        if command["status"] in UNDER_WAY and now > command["exp"]:
            effects.append(Put("command", command["id"], {**command, "status": "timeout", "updated": now}))
    return effects


def _ended_with_a_start(farm: Farm, node: Row, moment: Moment) -> Effects:
    """A command is for the start that it names; of no later one comes an answer, but for the `restart` itself."""
    return [
        Put("command", key, {**command, "status": "failed", "code": "restarted", "updated": moment.now})
        for key, command in farm["command"].items()
        if command["node"] == node["id"] and command["status"] in UNDER_WAY and command["name"] != "restart"
    ]


def _device_changed(farm: Farm, at: Address, moment: Moment, **said: Any) -> Effects:
    """A device's word of itself; a change from one word to another is an event, like a node's."""
    key = (at.node, at.device)
    old = farm["device"].get(key) or {"node": at.node, "device": at.device, "state": "", "state_at": 0, "info": {}}
    new = {**old, **said}
    if new == old:
        return []
    if new["state"] == old["state"]:
        return [Put("device", key, new)]
    effects: Effects = [Put("device", key, {**new, "state_at": moment.now})]
    if old["state"]:
        data = {"from": old["state"], "to": new["state"]}
        row = {"node": at.node, "device": at.device, "type": "presence", "ts": moment.now, "received": moment.now}
        effects.append(Add("event", {**row, "stream": None, "seq": None, "data": data}))
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


RULES: dict[str, Rule] = {
    "state": on_state,
    "info": on_info,
    "tele": on_tele,
    "latest": on_latest,
    "evt": on_evt,
    "evt/gap": on_gap,
    "evt/refused": on_refused,
    "evt/auth-refused": on_auth_refused,
    "alert": on_alert,
    "reported": on_reported,
    "ack": on_ack,
    "blob/get": on_blob_get,
    "log": on_log,
    "bridge": on_bridge,
}
