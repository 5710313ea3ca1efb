"""What a steward keeps between two starts, and what it believes of what it is told."""

import base64
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from broker.errors import BadCredentials, BadKit
from broker.farmfile import ID
from broker.files import write_private
from broker.users import User, from_json

T = TypeVar("T")


class Memory:
    """steward.json (last epoch and revisions) and users.json (the users of each credentials document)."""

    def __init__(self, directory: Path) -> None:
        self._seen_file, self._users_file = directory / "steward.json", directory / "users.json"
        self.seen: dict[str, Any] = _read(self._seen_file, {})
        stored: dict[str, list[object]] = _read(self._users_file, {})
        try:
            self._documents = {name: tuple(map(from_json, each)) for name, each in stored.items()}
        except BadCredentials as error:
            raise BadKit(f"{self._users_file}: {error}") from None

    def keep_seen(self, seen: dict[str, Any]) -> None:
        """OSError, and nothing is kept."""
        if seen != self.seen:
            write_private(self._seen_file, json.dumps(seen).encode())
            self.seen = seen

    @property
    def users(self) -> tuple[User, ...]:
        """Everybody named in any credentials document."""
        return tuple(user for users in self._documents.values() for user in users)

    def users_of(self, document: str) -> tuple[User, ...]:
        return self._documents.get(document, ())

    def keep_users(self, document: str, users: tuple[User, ...]) -> None:
        """OSError, and nothing is kept."""
        documents = {**self._documents, document: users}
        content = {name: [asdict(user) for user in each] for name, each in documents.items()}
        write_private(self._users_file, json.dumps(content, indent=1).encode())
        self._documents = documents


def verifier(public_key: str) -> Callable[[bytes, bytes], bool]:
    """verify(text, signature) for a raw Ed25519 key in base64; `BadKit` for anything else."""
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
    except ValueError:
        raise BadKit("commander_key: must be a raw Ed25519 public key in base64") from None

    def verify(text: bytes, signature: bytes) -> bool:
        try:
            key.verify(signature, text)
        except InvalidSignature:
            return False
        return True

    return verify


def nodes_to_purge(data: object, myself: str) -> tuple[str, ...]:
    """Node ids of a document `purge`: {"nodes": [id, ...]}; raises `BadCredentials`."""
    nodes = cast(dict[str, object], data).get("nodes") if isinstance(data, dict) else None
    if not isinstance(nodes, list):
        raise BadCredentials("nodes: must be a list of node ids")
    for node in cast(list[object], nodes):
        if not isinstance(node, str) or not ID.fullmatch(node) or node == myself:
            raise BadCredentials(f"nodes: {node!r} must be the id of a node other than this steward")
    return tuple(cast(list[str], nodes))


def _read(path: Path, default: T) -> T:
    if not path.exists():
        return default
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise BadKit(f"{path}: cannot be read ({error}); delete it to start afresh") from None
    if type(found) is not type(default):
        raise BadKit(f"{path}: is damaged; delete it to start afresh")
    return cast(T, found)
