"""The commander's line with a real database, fed item by item: no broker, no clock to wait for."""

import base64
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from broker.passwords import hashed
from commander.db_edge import Database
from commander.effects import Effects, Moment, Put, Row, Send
from commander.flow import Flow, Request
from commander.keys import Keys
from commander.mqtt_ingest import Arrived
from commander.projection import Projection
from commander.tables import STATE, keys, metadata
from schema import topics, wire
from schema.message import Message

NOW = 1_700_000_000_000
PARTS = {"host": {"cpu": "%", "note": ""}}


def dice(count: int) -> bytes:
    return bytes(range(count))


def moment(now: int = NOW, **more: Any) -> Moment:
    return Moment(now, dice, **more)


def node_row(name: str = "rig-1", domain: str = "house", **more: Any) -> Row:
    return {
        "id": name,
        "domain": domain,
        "kind": "cpu-gpu",
        "created": NOW,
        "state": "",
        "state_at": 0,
        "shown": "new",
        "boot": "",
        "alive_ms": 0,
        "parts": {},
        "info": {},
        "password_hash": hashed(name, b"salt"),
        "sign": "ed25519",
        "key": "",
        "role": "node",
        "grants": [],
        "token": "",
        "nonce": "",
        **more,
    }


def door(domain: str, links: tuple[str, ...] = (), up: bool = True, since: int = NOW) -> Row:
    return {"domain": domain, "home": not links, "up": up, "since": since, "links": list(links)}


def furnish(farm: Projection) -> list[Put]:
    """Two domains with their stewards, a node that is born (rig-1) and one that is not (rig-2)."""
    farm["door"] = {"house": door("house"), "barn": door("barn", ("barn-house",))}
    rows = [
        node_row("steward-house", role="steward", password_hash=""),
        node_row("steward-barn", "barn", role="steward", password_hash=""),
        node_row("rig-1", state="ready", shown="ready", boot="b1", alive_ms=5_000, parts=PARTS),
        node_row("rig-2", "barn"),
    ]
    return [Put("node", row["id"], row) for row in rows]


def small_farm() -> Projection:
    farm = Projection(keys())
    for put in furnish(farm):
        farm.apply(put)
    return farm


def make_keys() -> Keys:
    private = Ed25519PrivateKey.generate()
    raw = private.private_bytes_raw(), private.public_key().public_bytes_raw()
    return Keys(*(base64.b64encode(key).decode() for key in raw))


class Line(Flow):
    """`send` hands messages in as the broker would; `rows` and `reloaded` look into the store."""

    def __init__(self, database: Database, key_pair: Keys | None = None):
        self.keys = key_pair or make_keys()
        super().__init__(database.load(), database, self.keys, "farm", 1000, 0.0)
        self.database = database
        self.epoch = 1
        self.mids = 0
        missing = [put for put in furnish(self.farm) if put.key not in self.farm["node"]]
        self.apply(missing)
        self.step([])

    def incoming(self, topic: str, payload: bytes, retained: bool = False) -> Arrived:
        self.mids += 1
        return Arrived(None, 1, [(topic.encode(), payload, 1, self.mids.to_bytes(2, "big"), retained)])

    def send(
        self,
        message: Message,
        data: Any,
        name: str = "",
        node: str = "rig-1",
        domain: str = "house",
        **more: Any,
    ) -> None:
        """One message, one batch."""
        topic = topics.build(message, "farm", domain, node, more.pop("device", "self"), name)
        self.step([self.incoming(topic, b"" if data is None else wire.encode(message, data), **more)])

    def asked(self, work: Any, by: str = "test") -> Any:
        """The answer to a request."""
        answer: Future[Any] = Future()
        self.step([Request(work, by, answer)])
        return answer.result(timeout=0)

    def rows(self, table: str) -> list[Row]:
        found = metadata.tables[table]
        with self.database.reading() as connection:
            return [dict(row) for row in connection.execute(select(found).order_by(*found.primary_key)).mappings()]

    def counted(self, stream: str = "s") -> list[int]:
        """Every stored seq, of telemetry and events together."""
        return sorted(row["seq"] for table in ("telemetry", "event") for row in self.rows(table) if row["seq"])

    def reloaded(self) -> dict[str, Any]:
        farm = self.database.load()
        return {table.name: farm[table.name] for table in STATE}

    def in_memory(self) -> dict[str, Any]:
        return {table.name: self.farm[table.name] for table in STATE}


def applied(farm: Projection, effects: Effects) -> Projection:
    """The farm after the effects; the given one stays as it is."""
    after = Projection(keys())
    after.update({name: dict(rows) for name, rows in farm.items()})
    for effect in effects:
        if isinstance(effect, Put):
            after.apply(effect)
    return after


def sends(effects: Effects) -> Iterator[Send]:
    return (effect for effect in effects if isinstance(effect, Send))


def puts(effects: Effects, table: str) -> list[Row | None]:
    return [effect.row for effect in effects if isinstance(effect, Put) and effect.table == table]
