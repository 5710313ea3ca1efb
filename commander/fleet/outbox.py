"""What leaves the commander: sealed messages with their outbox rows, and the marks of streams."""

import logging
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from commander.effects import Farm, Put, Row, Send
from commander.fleet.enrolment import desired_message
from commander.keys import Keys
from schema import fleet, topics, trust, wire
from schema.message import Invalid, Message

log = logging.getLogger(__name__)

PATIENCE_MS = 5_000
STREAMS_SHOWN = 16

Publish = tuple[str, bytes, int, bool, int]  # topic, payload, QoS, retain, outbox id (0: not in the outbox)


class Outgoing(NamedTuple):
    """Messages ready to publish, and the rows that make the durable ones survive a crash."""

    messages: list[Publish]
    rows: list[Row]


class Outbox:
    """Turns Send effects into bytes: signed kinds get the epoch and the seal of their receiver."""

    def __init__(self, root: str, keys: Keys, farm: Farm) -> None:
        self._root = root
        self._keys = keys
        self._farm = farm
        self._last_id = 0
        self._waiting: list[tuple[Send, int]] = []  # with the time until which each may wait

    def seal(self, sends: list[Send], epoch: int, now: int = 0) -> Outgoing:
        """All messages that may go now; those that wait for a document come with a later call."""
        out = Outgoing([], [])
        for send in self._released(sends, now):
            topic = topics.build(send.message, self._root, send.domain, send.node, send.device, send.name)
            try:
                payload = self._payload(send.message, topic, send.node, send.data, epoch)
            except Invalid as error:
                log.error("cannot send on %s: %s", topic, error)
                continue
            row_id = self._next_id() if send.durable else 0
            out.messages.append((topic, payload, send.message.qos, send.message.retain, row_id))
            if row_id:
                text = {
                    "topic": topic,
                    "payload": payload.decode(),
                    "qos": send.message.qos,
                    "retain": send.message.retain,
                }
                out.rows.append({"id": row_id, **text})
        return out

    def _released(self, sends: list[Send], now: int) -> list[Send]:
        waiting = [*self._waiting, *((send, now + PATIENCE_MS) for send in sends)]
        self._waiting = [(send, until) for send, until in waiting if now < until and not self._applied(send.after)]
        return [send for send, until in waiting if now >= until or self._applied(send.after)]

    def _applied(self, after: tuple[str, str, int] | None) -> bool:
        if after is None:
            return True
        node, document, revision = after
        reported = self._farm["reported"].get((node, document))
        return reported is not None and reported["status"] == "applied" and reported["rev"] >= revision

    def again(self, row: Row, epoch: int) -> Publish:
        """A row that an earlier start left, sealed anew: nodes that know this epoch refuse the older one."""
        payload = row["payload"].encode()
        address = topics.parse(row["topic"], self._root)
        message = topics.declaration(fleet.MESSAGES, address)
        if message.body == "signed":
            body = wire.loads(wire.loads(payload)["body"].encode())
            payload = self._payload(message, row["topic"], address.node, body, epoch)
        return (row["topic"], payload, row["qos"], row["retain"], row["id"])

    def leader(self, epoch: int, name: str, expires: int) -> Publish:
        """The retained message that says who commands."""
        topic = topics.build(fleet.LEADER, self._root)
        payload = trust.seal(fleet.LEADER, topic, {"epoch": epoch, "node": name, "expires": expires}, self._keys.sign)
        return (topic, payload, 1, True, 0)

    def everything_desired(self) -> list[Send]:
        """All desired documents as they stand."""
        nodes = self._farm["node"]
        return [
            desired_message(self._farm, row, nodes[row["node"]]["domain"])._replace(durable=False)
            for row in self._farm["desired"].values()
            if row["node"] in nodes
        ]

    def _payload(self, message: Message, topic: str, node: str, data: Any, epoch: int) -> bytes:
        if message.body == "signed":
            sign = self._keys.signer_for(self._farm["node"].get(node))
            return trust.seal(message, topic, {**data, "epoch": epoch}, sign)
        if message is fleet.ENROL_RES and "node" in data:
            data = {"verify": self._keys.public, **data, "epoch": epoch}
        return wire.encode(message, data)

    def _next_id(self) -> int:
        self._last_id = max(self._last_id + 1, time.time_ns() // 1000)
        return self._last_id


class StoredMarks:
    """The retained `stored` message of each node whose marks moved, at most once per interval."""

    def __init__(self, farm: Farm, every_ms: int = 1_000) -> None:
        self.every_ms = every_ms
        self._farm = farm
        self._streams: dict[str, dict[str, Row]] = {}
        self._moved: set[str] = set()
        self._next = 0
        for row in farm["stream"].values():
            self._streams.setdefault(row["node"], {})[row["name"]] = row

    def moved(self, puts: Iterable[Put]) -> None:
        """These rows were committed; those of streams matter here."""
        for put in puts:
            if put.table == "stream" and put.row is not None:
                self._streams.setdefault(put.row["node"], {})[put.row["name"]] = put.row
                self._moved.add(put.row["node"])

    def all_again(self) -> None:
        """Tell every node: the broker has forgotten what was retained."""
        self._moved.update(self._streams)

    def due(self, now: int, root: str) -> list[Publish]:
        """The messages to publish now."""
        if now < self._next or not self._moved:
            return []
        self._next = now + self.every_ms
        moved, self._moved = self._moved, set()
        return [self._message(node, root) for node in moved if node in self._farm["node"]]

    def _message(self, node: str, root: str) -> Publish:
        streams = self._streams[node]
        newest = sorted(streams.values(), key=lambda row: -row["updated"])
        for row in newest[STREAMS_SHOWN:]:
            del streams[row["name"]]
        marks = {row["name"]: row["mark"] for row in streams.values()}
        topic = topics.build(fleet.STORED, root, self._farm["node"][node]["domain"], node)
        return (topic, wire.encode(fleet.STORED, {"marks": marks}), 1, True, 0)
