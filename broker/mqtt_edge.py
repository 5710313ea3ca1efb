"""A steward's MQTT connection. The only file here that imports paho."""

import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from broker.errors import BrokerFailed


@dataclass(frozen=True)
class Connected:
    pass


@dataclass(frozen=True)
class Lost:
    reason: str


@dataclass(frozen=True)
class Message:
    topic: str
    payload: bytes
    retained: bool


@dataclass(frozen=True)
class Answered:
    """``question``: as `Connection.ask` returned it."""

    question: int


class Connection:
    """Connects and reconnects by itself; puts Connected, Lost, Message and Answered into ``events``."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        user: str,
        password: str,
        ca_file: str | None,
        will: tuple[str, bytes],
        events: "SimpleQueue[Any]",
    ) -> None:
        self._events = events
        self._client = client = paho.Client(CallbackAPIVersion.VERSION2, client_id=user)
        client.username_pw_set(user, password)
        if ca_file:
            try:
                trusted = ssl.create_default_context(cafile=ca_file)
                client.tls_set_context(trusted)  # pyright: ignore[reportUnknownMemberType]
            except OSError as error:
                raise BrokerFailed(f"{ca_file}: {error.strerror or error}") from None
        client.will_set(will[0], will[1], qos=1, retain=True)
        client.reconnect_delay_set(min_delay=1, max_delay=5)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_unsubscribe = self._on_unsubscribe
        client.connect_async(host, port, keepalive=20)

    def start(self) -> None:
        self._client.loop_start()

    def stop(self) -> None:
        """Say goodbye after what was published before; no will."""
        self._client.disconnect()
        self._client.loop_stop()

    def subscribe(self, filters: Iterable[str]) -> None:
        self._client.subscribe([(each, 1) for each in filters])

    def unsubscribe(self, filters: Iterable[str]) -> None:
        self._client.unsubscribe(list(filters))

    def ask(self) -> int:
        """A question that changes nothing; `Answered` comes when the broker gets to it."""
        return self._client.unsubscribe("nothing")[1] or 0

    def publish(self, topic: str, payload: bytes, qos: int = 1, retain: bool = False) -> None:
        self._client.publish(topic, payload, qos, retain)

    def goodbye(self, topic: str, payload: bytes, seconds: float) -> None:
        """Publish retained and wait, at most ``seconds``, until the broker has it."""
        sent = self._client.publish(topic, payload, 1, retain=True)
        # paho raises for a message that never left; at a goodbye nobody can do anything about it.
        if sent.rc == paho.MQTT_ERR_SUCCESS:
            sent.wait_for_publish(seconds)

    def _on_connect(self, client: paho.Client, userdata: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        self._events.put(Lost(str(reason)) if reason.is_failure else Connected())

    def _on_disconnect(
        self, client: paho.Client, userdata: Any, flags: Any, reason: ReasonCode, properties: Any
    ) -> None:
        self._events.put(Lost(str(reason)))

    def _on_message(self, client: paho.Client, userdata: Any, message: paho.MQTTMessage) -> None:
        self._events.put(Message(message.topic, bytes(message.payload), message.retain))

    def _on_unsubscribe(self, client: paho.Client, userdata: Any, mid: int, reasons: Any, properties: Any) -> None:
        self._events.put(Answered(mid))
