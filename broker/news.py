"""What a steward says: birth, telemetry, events, alerts, reports, as messages of the farm."""

import secrets
import time
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from broker.domains import Farm, routes
from broker.mqtt_edge import Connection
from broker.outbox import Outbox
from broker.users import steward_user
from broker.watch import PARTS
from schema.fleet import ALERT, EVT, EVT_GAP, INFO, MESSAGES, REPORTED, SCHEMA_VERSION, STATE, TELE
from schema.message import Message
from schema.topics import build
from schema.wire import encode

HEARTBEAT_MS = 10_000


def now_ms() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


class News:
    """Publishes for the steward of ``domain``; events wait in an outbox until they are stored."""

    def __init__(self, farm: Farm, domain: str) -> None:
        self._farm, self._domain, self._node = farm, domain, steward_user(domain)
        self._boot = secrets.token_hex(8)
        self.outbox = Outbox(stream=self._boot)
        self.connection: Connection | None = None
        self.connected = False

    def topic(self, message: Message, name: str = "", device: str = "self") -> str:
        return build(message, self._farm.root, self._domain, self._node, device, name)

    def will(self) -> tuple[str, bytes]:
        return self.topic(STATE), encode(STATE, "lost")

    def birth(self) -> None:
        """Connected: say who the steward is and that it is ready."""
        self.connected = True
        try:
            software = f"farmhand {version('farmhand')}"
        except PackageNotFoundError:  # run from a checkout
            software = "farmhand"
        info: dict[str, object] = {
            "schema": SCHEMA_VERSION,
            "boot": self._boot,
            "kind": "steward",
            "software": software,
            "alive_ms": 3 * HEARTBEAT_MS,
            "parts": PARTS,
            "hears_marks": self._domain in routes(self._farm).down,
            "clock": "set",
        }
        self._publish(INFO, info)
        self._publish(STATE, "ready")
        self.outbox.reconnected()

    def goodbye(self) -> None:
        if self.connection:
            self.connection.goodbye(self.topic(STATE), encode(STATE, "disconnected"), seconds=2.0)

    def heartbeat(self, now: int, figures: Mapping[str, int | float], bridges: Mapping[str, tuple[int, int]]) -> None:
        """``bridges``: link -> (connected, since in ms). Worth losing: the next one comes soon."""
        self._publish(TELE, {"ts": now, **figures}, "broker")
        for link, (connected, since) in bridges.items():
            values = {"ts": now, "connected": connected, "since": since}
            self._publish(TELE, values, "bridge", device=link)

    def event(self, name: str, fields: Mapping[str, object], now: int) -> None:
        self.outbox.add(self.topic(EVT, name), fields, now)

    def flush(self, now: int) -> None:
        """Send the events that are due."""
        if self.connection and self.connected:
            for topic, event in self.outbox.due(now, self.topic(EVT_GAP)):
                message = MESSAGES.get(f"evt/{topic.rpartition('/')[2]}", EVT)
                self.connection.publish(topic, encode(message, event), qos=1)

    def alert(self, name: str, since: int, text: str) -> None:
        self._publish(ALERT, {"since": since, "severity": "warning", "text": text[:512]}, name)

    def clear_alert(self, name: str) -> None:
        if self.connection:
            self.connection.publish(self.topic(ALERT, name), b"", retain=True)

    def report(self, document: str, rev: int, error: str | None = None) -> None:
        """Say that ``rev`` of a document is applied, or why it failed."""
        status = "failed" if error else "applied"
        report: dict[str, object] = {"rev": rev, "status": status}
        if error:
            report["error"] = error[:512]
        self._publish(REPORTED, report, document)

    def _publish(self, message: Message, data: object, name: str = "", device: str = "self") -> None:
        if self.connection:
            topic = self.topic(message, name, device)
            self.connection.publish(topic, encode(message, data), message.qos, message.retain)
