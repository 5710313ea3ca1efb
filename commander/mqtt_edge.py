"""MQTT: one persistent session per domain for what comes in, one for what the leader says. The only file that imports paho.

Everything that happens here becomes an item in one queue, in order: Incoming, Door, Published. Nothing is acknowledged before
`acknowledge` is called, which is after the commit.
"""

import logging
import ssl
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

log = logging.getLogger(__name__)

Put = Callable[[Any], None]


class Incoming(NamedTuple):
    """A message as it came; `session` and `generation` say which connection may acknowledge it."""

    topic: str
    payload: bytes
    qos: int
    mid: int
    retained: bool
    session: "Session"
    generation: int


class Door(NamedTuple):
    """A session came up or went down. `domain` is "" for the leader's; `fresh`: the broker remembered nothing of it."""

    domain: str
    up: bool
    fresh: bool


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


class Session:
    """One MQTT connection with a fixed client id and filters; it reconnects for ever."""

    def __init__(self, access: Access, client_id: str, filters: Iterable[str], domain: str, put: Put) -> None:
        self.domain = domain
        self.generation = 0
        self.connected = False
        self._filters = [(topic, 1) for topic in filters]
        self._put = put
        self._access = access
        self._unacknowledged: dict[int, int] = {}  # mid -> outbox id
        self._lock = threading.Lock()
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False, manual_ack=True)
        client.username_pw_set(access.user, access.password)
        if access.ca:
            client.tls_set(ca_certs=access.ca, tls_version=ssl.PROTOCOL_TLS_CLIENT)
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

    def acknowledge(self, mid: int, qos: int, generation: int) -> None:
        """PUBACK, unless the connection that delivered the message is gone: its ids mean other messages by now."""
        if qos and generation == self.generation and self.connected:
            self._client.ack(mid, qos)

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool, outbox_id: int) -> None:
        """Send, now or after the next connect; Published follows when outbox_id is not 0."""
        # The lock keeps on_publish from looking the mid up before it is written down.
        with self._lock:
            info = self._client.publish(topic, payload, qos, retain)
            if outbox_id and qos:
                self._unacknowledged[info.mid] = outbox_id

    def _on_connect(self, client: paho.Client, _data: Any, flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            log.warning("broker %s:%d refused the commander: %s", self._access.host, self._access.port, reason)
            return
        self.generation += 1
        self.connected = True
        if self._filters:
            client.subscribe(self._filters)
        self._put(Door(self.domain, True, not flags.session_present))

    def _on_disconnect(self, _client: paho.Client, _data: Any, _flags: Any, _reason: Any, _properties: Any) -> None:
        if self.connected:
            self.connected = False
            self._put(Door(self.domain, False, False))

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "?"
        self._put(Incoming(topic, message.payload, message.qos, message.mid, message.retain, self, self.generation))

    def _on_publish(self, _client: paho.Client, _data: Any, mid: int, _reason: Any, _properties: Any) -> None:
        with self._lock:
            outbox_id = self._unacknowledged.pop(mid, 0)
        if outbox_id:
            self._put(Published(outbox_id))


class MqttEdge:
    """All sessions of a commander."""

    def __init__(self, access: Access, root: str, filters: dict[str, list[str]], leader: list[str], put: Put) -> None:
        """filters: what to take in, by domain; leader: what the commanding session listens to."""
        self.sessions = [
            Session(access, f"{root}-ingest-{domain}", topics, domain, put) for domain, topics in sorted(filters.items())
        ]
        self.leader = Session(access, f"{root}-leader", leader, "", put)

    def start(self) -> None:
        for session in (*self.sessions, self.leader):
            session.start()

    def stop(self) -> None:
        for session in (*self.sessions, self.leader):
            session.stop()

    def acknowledge(self, messages: Iterable[Incoming]) -> None:
        for message in messages:
            message.session.acknowledge(message.mid, message.qos, message.generation)

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool, outbox_id: int = 0) -> None:
        self.leader.publish(topic, payload, qos, retain, outbox_id)
