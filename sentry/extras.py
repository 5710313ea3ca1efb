"""What a sentry does besides: parts that its settings switch on, on the sentry's one MQTT connection.

A part runs in a thread of its own. It hears what its filters bring, and speaks by putting these into the agent's inbox.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sentry.events import Sender
from sentry.measure import Measured
from sentry.rules import Heard


@dataclass(frozen=True, slots=True)
class Publish:
    """Send now, when connected; lost otherwise: `on_connected` is where a part says it again."""

    topic: str
    payload: bytes
    qos: int
    retain: bool


@dataclass(frozen=True, slots=True)
class Alarm:
    """Raise the alert ``name``, or change its text; "" clears it."""

    name: str
    text: str
    severity: str = "warning"


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Ask the broker once more for these filters: what it retains there comes again."""

    filters: Sequence[str]


Wish = Publish | Alarm | Subscribe | Measured


class Extra(Protocol):
    @property
    def filters(self) -> Sequence[str]:
        """What to subscribe to at each connection."""
        ...

    def start(self) -> None: ...

    def hear(self, heard: Heard) -> bool:
        """Take a message; False: it is not for this part."""
        ...

    def on_connected(self) -> None: ...

    def close(self) -> None:
        """End, having put the last wishes into the inbox."""
        ...


def extras(sender: Sender, tell: Callable[[Wish], None]) -> list[Extra]:
    """The parts that this host's settings ask for; SentryError names a wrong setting."""
    from sentry.mining.settings import load

    found: list[Extra] = []
    pool = load()
    if pool.nodes:
        from sentry.mining.duco_pool import Gateway

        found.append(Gateway(sender, pool, tell))
    return found


def stray_filter(sender: Sender, topic: str) -> str | None:
    """The filter that brought a message of another node: the broker keeps a session's subscriptions, also those of a
    part that the settings no longer ask for."""
    levels = topic.split("/")
    if len(levels) < 5 or levels[1] == "_" or levels[1:3] == [sender.domain, sender.node]:
        return None
    return "/".join([*levels[:3], "+", *levels[4:]])
