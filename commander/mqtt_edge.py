"""MQTT: one persistent session per domain for what comes in (mqtt_ingest.py), one for what the leader says (paho,
only here).

Everything that happens here becomes an item in one queue, in order: Arrived, Door, Published. Nothing is acknowledged
before `acknowledge` is called, which is after the commit.
"""

import logging
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from commander.mqtt_ingest import Arrived, Door, IngestSession

log = logging.getLogger(__name__)

Put = Callable[[Any], None]


class Published(NamedTuple):
    """The broker has acknowledged the outbox row of this id."""

    outbox_id: int


@dataclass(frozen=True)
class Access:
    """How to reach the home broker. `ca`: path of the farm's CA certificate, empty for a plain connection."""

    host: str
    port: int
    user: str
    password: str
    ca: str = ""


class LeaderSession:
    """The connection that commands: it publishes, and listens to a few farm-wide topics."""

    def __init__(self, access: Access, client_id: str, filters: Iterable[str], put: Put) -> None:
        self.connected = False
        self._filters = [(topic, 1) for topic in filters]
        self._put = put
        self._access = access
        self._unacknowledged: dict[int, int] = {}  # mid -> outbox id
        self._acknowledged_early: set[int] = set()
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False)
        client.username_pw_set(access.user, access.password)
        if access.ca:
            client.tls_set_context(  # pyright: ignore[reportUnknownMemberType]
                ssl.create_default_context(cafile=access.ca)
            )
        client.reconnect_delay_set(1, 15)
        client.max_inflight_messages_set(500)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.suppress_exceptions = False
        self._client = client

    def start(self) -> None:
        self._client.connect_async(self._access.host, self._access.port, keepalive=20)
        self._client.loop_start()

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool, outbox_id: int) -> None:
        """Send, now or after the next connect; Published follows when outbox_id is not 0. Any thread may."""
        # No lock here: paho holds its own while it calls on_publish, so either side may come first.
        mid = self._client.publish(topic, payload, qos, retain).mid
        if qos:
            self._unacknowledged[mid] = outbox_id
            if mid in self._acknowledged_early:
                self._acknowledged(mid)

    def under_way(self) -> int | None:
        """How many messages the broker has not acknowledged yet; None while there is no connection."""
        return len(self._unacknowledged) if self.connected else None

    def _on_connect(self, client: paho.Client, _data: Any, flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            log.warning("broker %s:%d refused the commander: %s", self._access.host, self._access.port, reason)
            return
        self.connected = True
        if self._filters:
            client.subscribe(self._filters)
        self._put(Door("", True, not flags.session_present))

    def _on_disconnect(self, _client: paho.Client, _data: Any, _flags: Any, _reason: Any, _properties: Any) -> None:
        if self.connected:
            self.connected = False
            self._put(Door("", False, False))

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        # Nothing here needs a late acknowledgement: these topics are retained, or come again.
        self._put(Arrived(None, 0, [(message.topic.encode(), bytes(message.payload), 0, b"", message.retain)]))

    def _on_publish(self, _client: paho.Client, _data: Any, mid: int, _reason: Any, _properties: Any) -> None:
        self._acknowledged_early.add(mid)
        self._acknowledged(mid)

    def _acknowledged(self, mid: int) -> None:
        outbox_id = self._unacknowledged.pop(mid, None)
        if outbox_id is not None:
            self._acknowledged_early.discard(mid)
            if outbox_id:
                self._put(Published(outbox_id))


class MqttEdge:
    """All sessions of a commander."""

    def __init__(self, access: Access, root: str, filters: dict[str, list[str]], leader: list[str], put: Put) -> None:
        """filters: what to take in, by domain; leader: what the commanding session listens to."""
        address, login = (access.host, access.port), (access.user, access.password)
        self.sessions = [
            IngestSession(address, login, access.ca, f"{root}-ingest-{domain}", topics, domain, put)
            for domain, topics in sorted(filters.items())
        ]
        self.leader = LeaderSession(access, f"{root}-leader", leader, put)

    def start(self) -> None:
        for session in (*self.sessions, self.leader):
            session.start()

    def stop(self) -> None:
        for session in (*self.sessions, self.leader):
            session.stop()

    def acknowledge(self, batches: Iterable[Arrived]) -> None:
        """Acknowledge all messages of these batches that need it."""
        for session, generation, messages in batches:
            if session is not None:
                session.acknowledge([mid for _, _, qos, mid, _ in messages if qos], generation)

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool, outbox_id: int = 0) -> None:
        self.leader.publish(topic, payload, qos, retain, outbox_id)
