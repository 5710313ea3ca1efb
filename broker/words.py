# pyright: basic
# schema/ is written for MicroPython and has no annotations; here, once, it gets its types.
"""The messages of schema/ with types. The only file of broker/ that pyright reads less strictly."""

from collections.abc import Callable
from typing import Any

from schema import topics, trust, wire
from schema.fleet import EVT, MESSAGES
from schema.message import Message

Body = dict[str, Any]
Verify = Callable[[bytes, bytes], bool]

OF_A_DEVICE = "{domain}/{node}/{device}/"


def templates(*ways: str) -> list[str]:
    """What follows <root>/<domain>/<node>/<device>/ in topics of messages that go these ways."""
    return [
        message.topic.removeprefix(OF_A_DEVICE)
        for message in MESSAGES.values()
        if message.way in ways and message.topic.startswith(OF_A_DEVICE)
    ]


def event_named(name: str) -> Message:
    """The declaration of `evt/<name>`: its own one, or that of any event."""
    return MESSAGES.get(f"evt/{name}", EVT)


def delivery(message: Message) -> tuple[int, bool]:
    """(QoS, retained)"""
    return message.qos, message.retain


def topic_of(message: Message, root: str, domain: str, node: str, device: str = "self", name: str = "") -> str:
    return topics.build(message, root, domain, node, device, name)


def encode(message: Message, data: object) -> bytes:
    return wire.encode(message, data)


def decode(message: Message, payload: bytes) -> Any:
    """Data of a message; raises `schema.message.Invalid`."""
    return wire.decode(message, payload)


def unseal(message: Message, topic: str, payload: bytes, verify: Verify) -> Body:
    """Body of a signed message whose signature holds; raises `schema.message.Invalid`."""
    body: Any = trust.unseal(message, topic, payload, verify)
    return body


def accept_desired(seen: Body, document: str, body: Body) -> tuple[Body, bool]:
    """(what to remember, whether it is new); raises `schema.message.Invalid` for an older one."""
    return trust.accept_desired(seen, document, body)


def judge_epoch(seen: Body, body: Body) -> None:
    """Raises `schema.message.Invalid` for a body from an older epoch than one already seen."""
    trust.judge_epoch(seen, body)
