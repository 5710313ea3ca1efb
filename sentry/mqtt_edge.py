"""The connection to the broker: the only file of the sentry that imports paho.

Each `Link` is one connection, from the login to its end. A new connection is a new Link, so that
nothing an old one still held can come out later: the outbox knows best what to send again.
"""

import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from sentry.errors import BrokerRefused
from sentry.home import Broker
from sentry.pin import only_from
from sentry.rules import Heard


@dataclass(frozen=True, slots=True)
class Login:
    """``persistent``: the broker keeps what comes while we are away; ``ca``: file, TLS only."""

    broker: Broker
    user: str
    password: str
    client_id: str
    ca: Path | None = None
    persistent: bool = True
    keepalive_s: int = 20


@dataclass(frozen=True, slots=True)
class Connected:
    link: int


@dataclass(frozen=True, slots=True)
class Ended:
    """``refused``: the broker answered, but not with a yes."""

    link: int
    reason: str
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Arrived:
    link: int
    heard: Heard


Input = Connected | Ended | Arrived


@dataclass(frozen=True, slots=True)
class Will:
    topic: str
    payload: bytes


class Link:
    """``tell`` is called from another thread with each `Input`, marked with ``number``."""

    def __init__(
        self,
        number: int,
        login: Login,
        filters: Sequence[str],
        will: Will | None,
        tell: Callable[[Input], None],
    ) -> None:
        self.number = number
        self._login, self._filters, self._tell = login, filters, tell
        self._over = threading.Lock()  # taken by the first reason to end, which is the one told
        self._ended = threading.Event()
        self._published = 0  # written by the caller's thread only
        self._acknowledged = 0  # written by paho's thread only
        self._told_connected = False
        self._client = client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=login.client_id,
            clean_session=not login.persistent,
            reconnect_on_failure=False,
        )
        client.username_pw_set(login.user, login.password)
        client.max_inflight_messages_set(0)  # the flight's window is the limit, and the only one
        client.connect_timeout = 10
        if will is not None:
            client.will_set(will.topic, will.payload, qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_socket_open = _at_once
        client.on_disconnect = self._on_disconnect

    def open(self) -> None:
        """Begin to connect; the outcome comes as an input."""
        threading.Thread(target=self._open, daemon=True, name=f"connect-{self.number}").start()

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> Callable[[], bool]:
        """Publish; the answer tells, later, whether the broker has acknowledged it."""
        self._published += 1
        return self._client.publish(topic, payload, qos, retain).is_published

    def subscribe(self, filters: Sequence[str]) -> None:
        """Subscribe, or again: what is retained there comes once more."""
        self._client.subscribe([(each, 1) for each in filters])

    def unsubscribe(self, filters: Sequence[str]) -> None:
        self._client.unsubscribe(list(filters))

    @property
    def under_way(self) -> int:
        """Messages given to this link and not yet acknowledged."""
        return self._published - self._acknowledged

    def close(self, last: Will | None, patience_s: float) -> None:
        """Publish ``last`` retained, say goodbye, and wait for both at most ``patience_s`` each."""
        try:
            if last is not None:
                sent = self._client.publish(last.topic, last.payload, qos=1, retain=True)
                sent.wait_for_publish(patience_s)
        except (RuntimeError, ValueError):
            pass  # the connection was lost meanwhile: the will speaks for us
        self._client.disconnect()
        self._ended.wait(patience_s)

    def _open(self) -> None:
        broker, login = self._login.broker, self._login
        try:
            if broker.tls:
                cast(Any, self._client).tls_set_context(only_from(login.ca))
            self._client.connect(broker.host, broker.port, login.keepalive_s)
        except ssl.SSLCertVerificationError as error:
            self._end(f"certificate of the broker: {error.verify_message}")
        except (OSError, ValueError, BrokerRefused) as error:
            self._end(f"{broker.host}:{broker.port}: {error}")
        else:
            self._client.loop_start()

    def _end(self, reason: str, refused: bool = False) -> None:
        if self._over.acquire(blocking=False):
            self._ended.set()
            self._client.disconnect()
            self._tell(Ended(self.number, reason, refused))

    def _on_connect(self, _client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._end(f"the broker refused the login: {reason}", refused=True)
        else:
            self.subscribe(self._filters)

    def _on_subscribe(self, _client: paho.Client, _data: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        if any(reason.is_failure for reason in reasons):
            self._end("the broker refused a subscription", refused=True)
        elif not self._told_connected:
            self._told_connected = True
            self._tell(Connected(self.number))

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeError:  # no topic of ours, nothing to answer to
            return
        heard = Heard(topic, bytes(message.payload), bool(message.retain))
        self._tell(Arrived(self.number, heard))

    def _on_publish(self, _client: paho.Client, _data: Any, _mid: int, _reason: Any, _properties: Any) -> None:
        self._acknowledged += 1

    def _on_disconnect(self, _client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._end(f"connection lost: {reason}")


def _at_once(_client: paho.Client, _data: Any, sock: Any) -> None:
    """An answer that follows an acknowledgement must not wait 40 ms for the peer's."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
