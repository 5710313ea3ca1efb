"""The typed door to schema/, whose files are without annotations: MicroPython reads them too."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from schema import fleet, tokens, topics, trust, wire
from schema import message as kinds
from schema.message import Message

_topics, _trust, _wire, _kinds = (cast(Any, each) for each in (topics, trust, wire, kinds))
_MESSAGES: dict[str, Message] = cast(Any, fleet).MESSAGES
MAX_PAYLOAD: int = _kinds.MAX_PAYLOAD
SCHEMA_VERSION: int = fleet.SCHEMA_VERSION
NODE_KINDS: tuple[str, ...] = fleet.NODE_KINDS

Json = dict[str, Any]
Verify = Callable[[bytes, bytes], bool]


@dataclass(frozen=True, slots=True)
class Address:
    """What a topic names: ``key`` as in the declaration ("cmd", "enrol/res", ...), and the name."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Token:
    """``fingerprint``: SHA-256 of the CA in hex, "" for a broker without TLS."""

    domain: str
    id: str
    secret: str
    fingerprint: str


def parse_token(text: str) -> Token:
    """Invalid("token", ...) when it is none."""
    return Token(*cast(Any, tokens).parse(text))


def declared(key: str, name: str = "") -> Message:
    """The declaration of key/name if that name has one, else of the channel."""
    return _MESSAGES.get(f"{key}/{name}") or _MESSAGES[key]


def build(key: str, root: str, *, domain: str = "", node: str = "", device: str = "self", name: str = "") -> str:
    """Topic; Invalid for a level outside the alphabet."""
    return _topics.build(declared(key), root, domain, node, device, name)


def parse(topic: str, root: str) -> Address:
    """Invalid when it is no topic of the farm."""
    found = _topics.parse(topic, root)
    return Address(found.key, found.name)


def check(message: Message, data: object) -> None:
    """Invalid unless ``data`` is what ``message`` declares."""
    _kinds.check(message, data)


def encode(key: str, name: str, data: object) -> bytes:
    return _wire.encode(declared(key, name), data)


def decode(key: str, payload: bytes) -> Json:
    return _wire.decode(declared(key), payload)


def loads(payload: bytes) -> Json:
    return _wire.loads(payload)


def dumps(value: Mapping[str, object]) -> bytes:
    return _wire.dumps(value)


def unseal(key: str, topic: str, payload: bytes, verify: Verify) -> Json:
    """Body of a signed message; Invalid unless the signature holds for this very topic."""
    return _trust.unseal(declared(key), topic, payload, verify)


def judge_epoch(seen: Json, body: Json) -> None:
    _trust.judge_epoch(seen, body)


def accept_desired(seen: Json, document: str, body: Json) -> tuple[Json, bool]:
    return _trust.accept_desired(seen, document, body)


def accept_command(seen: Json, body: Json, now: int, boot: str) -> Json:
    return _trust.accept_command(seen, body, now, boot)
