"""What the sentry says to its broker now, and when it tries the next connection.

What must not be lost goes through the outbox; here are presence, births, reports and answers.
"""

import logging
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from schema.fleet import LEADER
from schema.message import Invalid
from schema.topics import build
from schema.wire import encode
from sentry.events import Sender, declared
from sentry.flight import retry_pause
from sentry.home import Credential, parse_broker
from sentry.mqtt_edge import Input, Link, Login, Will
from sentry.outbox import Item
from sentry.rules import Say
from sentry.settings import Settings

log = logging.getLogger(__name__)

NEVER = float("inf")
GOODBYE_S = 3


class Uplink:
    """``connect_at``: monotonic time of the next attempt; ``links``: attempts so far; ``filters``: what to hear besides
    what every sentry hears."""

    def __init__(self, credential: Credential, ca: Path, settings: Settings, tell: Callable[[Input], None]) -> None:
        self.connected = False
        self.links = 0
        self.connect_at = NEVER
        self.filters: list[str] = []
        self._credential, self._sender = credential, credential.sender
        self._settings, self._tell = settings, tell
        self._login = Login(
            parse_broker(credential.broker),
            credential.node,
            credential.password,
            credential.node,
            ca,
            keepalive_s=settings.keepalive_s,
        )
        self._link: Link | None = None
        self._failures = 0
        self._acks: deque[tuple[Say, Callable[[], bool]]] = deque(maxlen=100)

    def is_current(self, link: int) -> bool:
        return self._link is not None and self._link.number == link

    def on_time(self, now: float) -> None:
        if now < self.connect_at:
            return
        self.links += 1
        self.connect_at = NEVER
        will = Will(self._sender.topic("state"), b"lost")
        self._link = Link(self.links, self._login, [*_filters(self._sender), *self.filters], will, self._tell)
        self._link.open()

    def on_connected(self, birth: dict[str, Any], reports: list[Say]) -> None:
        """Presence, then what this broker may not know yet, then the answers it did not take."""
        self.connected, self._failures = True, 0
        log.info("connected to %s as %s", self._credential.broker, self._sender.node)
        self.say("state", "", "init")
        self.say("info", "", birth)
        self.say("state", "", "ready")
        for report in reports:
            self.say(report.key, report.name, report.data)
        waiting = [ack for ack, is_there in self._acks if not is_there()]
        self._acks.clear()
        for ack in waiting:
            self.answer(ack)

    def on_ended(self, reason: str) -> None:
        self._failures += 1
        self.connected, self._link = False, None
        pause = retry_pause(self._failures, self._settings.retry_s, self._settings.retry_most_s, random.random())
        self.connect_at = time.monotonic() + pause
        level = logging.WARNING if self._failures == 1 else logging.INFO
        log.log(level, "%s; next attempt in %.1f s", reason, pause)

    def say(self, key: str, name: str, data: object) -> Callable[[], bool]:
        """Publish when connected; the answer tells, later, whether the broker has it."""
        if self._link is None or not self.connected:
            return lambda: False
        message = declared(key, name)
        try:
            payload = encode(message, data)
        except Invalid as error:
            log.error("%s/%s of this program is not as declared: %s", key, name, error)
            return lambda: True
        topic = self._sender.topic(key, name)
        return self._link.publish(topic, payload, message.qos, message.retain)

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        """Publish when connected."""
        if self._link is not None and self.connected:
            self._link.publish(topic, payload, qos, retain)

    def alert(self, name: str, data: dict[str, Any] | None) -> None:
        """Raise or change an alert when connected; None clears it."""
        if data is None:
            self.publish(self._sender.topic("alert", name), b"", 1, True)
        else:
            self.say("alert", name, data)

    def subscribe(self, filters: Sequence[str]) -> None:
        """Have what is retained there once more."""
        if self._link is not None and self.connected:
            self._link.subscribe(filters)

    def unsubscribe(self, filters: Sequence[str]) -> None:
        """Hear no more of what a session of earlier settings still brings."""
        if self._link is not None and self.connected:
            self._link.unsubscribe(filters)

    def answer(self, ack: Say) -> None:
        """Answer a command; repeated after a reconnect unless the broker has it."""
        self._acks.append((ack, self.say(ack.key, ack.name, ack.data)))

    def room(self, window: int) -> int:
        """How many events may be handed to the connection now; 0 without one."""
        if self._link is None or not self.connected:
            return 0
        return max(0, window - self._link.under_way)

    def send(self, item: Item) -> None:
        if self._link is not None:
            self._link.publish(item.topic, item.payload, 1, False)

    def close(self) -> None:
        if self._link is not None:
            farewell = Will(self._sender.topic("state"), b"disconnected")
            self._link.close(farewell if self.connected else None, GOODBYE_S)
        self.connected = False


def _filters(sender: Sender) -> list[str]:
    own = f"{sender.root}/{sender.domain}/{sender.node}/self"
    heard = [f"{own}/{rest}" for rest in ("desired/+", "cmd/+", "stored")]
    return [*heard, build(LEADER, sender.root)]
