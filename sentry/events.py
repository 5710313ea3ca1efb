"""An event before it has a number, and how it becomes a topic and a payload. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schema.message import Message
from schema.messages import MESSAGES
from schema.topics import Address, build, declaration
from schema.wire import encode


def declared(key: str, name: str) -> Message:
    """The declaration of key/name if that name has one, else of the channel."""
    return declaration(MESSAGES, Address(key, name=name))


@dataclass(frozen=True, slots=True)
class Event:
    """``key``: tele, evt or job/share; ``ts``: ms since 1970; ``fields``: what the declaration asks beyond."""

    key: str
    name: str
    ts: int
    fields: Mapping[str, Any]
    device: str = "self"


@dataclass(frozen=True, slots=True)
class Sender:
    """Where this node's messages live."""

    root: str
    domain: str
    node: str

    def topic(self, key: str, name: str = "", device: str = "self") -> str:
        return build(declared(key, name), self.root, self.domain, self.node, device, name)

    def encode(self, event: Event, stream: str, seq: int | None) -> tuple[str, bytes]:
        """(topic, payload); ``seq`` None for a gap, which has none. Raises Invalid."""
        body: dict[str, Any] = {"ts": event.ts, "stream": stream, **event.fields}
        if seq is not None:
            body["seq"] = seq
        payload = encode(declared(event.key, event.name), body)
        return self.topic(event.key, event.name, event.device), payload
