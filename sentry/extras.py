"""What a sentry does besides: parts that its settings switch on, on the sentry's one MQTT connection.

A part runs in a thread of its own. It hears what its filters bring, and speaks by putting these into the agent's inbox.
"""

import logging
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schema.boards import NODE_KIND
from schema.message import Message
from sentry.errors import SentryError
from sentry.events import Event, Sender
from sentry.measure import Measured
from sentry.rules import Heard, Order, Refuse, Say, Wanted

log = logging.getLogger(__name__)


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


@dataclass(frozen=True, slots=True)
class Report:
    """How far a desired document is. ``status``: applied, pending, failed or refused; ``error``: why not; ``data``:
    what holds now."""

    name: str
    rev: int
    status: str
    error: str = ""
    data: Any = None

    def told(self) -> dict[str, Any]:
        """As `reported` declares it."""
        told = {"rev": self.rev, "status": self.status, "error": self.error[:512], "data": self.data}
        return {name: each for name, each in told.items() if each not in (None, "")}


# An Event goes the sure way, through the outbox; Say answers a command.
Wish = Publish | Event | Alarm | Subscribe | Measured | Say | Refuse | Report


class Extra(ABC):
    filters: Sequence[str]
    """What to subscribe to at each connection."""
    commands: Mapping[str, Message] = {}
    """Signed commands that this part obeys, and what their arguments must be."""
    documents: Mapping[str, Message] = {}
    """Desired documents that this part makes true, and what they must be."""

    @abstractmethod
    def start(self) -> None: ...

    @abstractmethod
    def hear(self, heard: Heard) -> bool:
        """Take a message; False: it is not for this part."""

    def obey(self, order: Order) -> None:
        """Do one of the ``commands``; the answer follows as an `ack`."""
        raise NotImplementedError(order.name)

    def want(self, wanted: Wanted) -> None:
        """Make one of the ``documents`` true, and report; also at each start, with what came last."""
        raise NotImplementedError(wanted.name)

    @abstractmethod
    def on_connected(self) -> None: ...

    @abstractmethod
    def close(self) -> None:
        """End, having put the last wishes into the inbox."""


def extras(sender: Sender, boot: str, kind: str, home: Path, tell: Callable[[Wish], None]) -> list[Extra]:
    """The parts that this sentry's kind and this host's settings ask for; SentryError names a wrong setting. ``home``:
    the sentry's folder."""
    from sentry.mining.i2c_settings import RigSettings
    from sentry.mining.settings import PoolSettings, load

    found: list[Extra] = []
    pool, rig = load(PoolSettings), load(RigSettings)
    if pool.nodes:
        from sentry.mining.duco_pool import Gateway

        found.append(Gateway(sender, pool, tell))
    if rig.bus:
        from sentry.mining.i2c_rig import Master

        found.append(Master(sender, boot, kind, rig, tell))
    if kind == "cpu-gpu":
        from sentry.mining.miner_settings import MinerSettings

        miners = load(MinerSettings)
        if miners.on:
            from sentry.mining.playbooks import Miners

            found.append(Miners(sender, home, miners, tell))
    if kind == "asic":
        from sentry.mining.asic_sentry import AsicSentry
        from sentry.mining.asic_settings import AsicSettings

        found.append(AsicSentry(sender, boot, kind, load(AsicSettings), tell))
    if kind == NODE_KIND:
        if sys.platform == "win32":
            raise SentryError("kind: a sentry of kind board runs on Linux only")
        from sentry.boards.settings import load_boards

        boards = load_boards()
        if boards.firmware:
            from sentry.boards.boards import Boards

            found.append(Boards(sender, home, boards, tell))
        else:
            log.warning("no boards: FARMHAND_BOARD_DEFAULT names no firmware")
    return found


def stray_filter(sender: Sender, topic: str) -> str | None:
    """The filter that brought a message which no sentry asks for by itself: the broker keeps a session's subscriptions,
    also those of a part that the settings no longer ask for."""
    levels = topic.split("/")
    if len(levels) < 5 or levels[1] == "_":
        return None
    if levels[1:4] == [sender.domain, sender.node, "self"] and levels[4] in ("desired", "cmd", "stored"):
        return None
    return "/".join([*levels[:3], "+", *levels[4:]])
