"""The files of one sentry, all below its state folder and readable by its owner only.

credential.json  who it is; ca.pem: the farm's CA (TLS only); enrol.json: an enrolment under way
memory.json      what signed messages it has seen, and the documents it applied
outbox.sqlite    its events
status.json      what it says of itself while it runs; lock: held for as long
"""

import json
import logging
import os
import re
import socket
import sqlite3
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from schema.message import Invalid, Message, check
from sentry.errors import HomeFailed, NotEnrolled, SentryError
from sentry.events import Sender
from sentry.host_os import system
from sentry.outbox import Limits, Outbox
from sentry.settings import Settings

log = logging.getLogger(__name__)

_CREDENTIAL = Message(
    "credential", "", "home", 1, False, "object",
    (
        ("broker", "text 256", "", "mqtt://host:port or mqtts://host:port"),
        ("root", "id", "", ""), ("domain", "id", "", ""), ("node", "id", "", ""),
        ("kind", "id", "", ""), ("password", "text 128", "", ""),
        ("verify", "text 128", "", "base64: the commander's Ed25519 public key"),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Credential:
    """``verify``: base64 of the commander's Ed25519 public key, 32 bytes."""

    broker: str
    root: str
    domain: str
    node: str
    kind: str
    password: str
    verify: str

    @property
    def sender(self) -> Sender:
        return Sender(self.root, self.domain, self.node)


@dataclass(frozen=True, slots=True)
class Broker:
    """Where a broker listens."""

    host: str
    port: int
    tls: bool


def parse_broker(url: str) -> Broker:
    """mqtt://host[:1883] or mqtts://host[:8883]; SentryError otherwise."""
    wrong = SentryError(f"broker: {url!r} must be mqtt://host:port or mqtts://host:port")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or parts.path.strip("/"):
        raise wrong
    if parts.username or parts.query or parts.fragment:
        raise wrong
    tls = parts.scheme == "mqtts"
    return Broker(parts.hostname, port or (8883 if tls else 1883), tls)


class Home:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.ca = path / "ca.pem"

    def create(self) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise HomeFailed(f"{self.path}: cannot make this folder: {error.strerror}") from None

    def read(self, name: str) -> dict[str, Any] | None:
        """A JSON file as an object, or None when it is not there."""
        path = self.path / name
        try:
            value = json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise HomeFailed(f"{path}: cannot be read: {error}") from None
        if not isinstance(value, dict):
            raise HomeFailed(f"{path}: must be a JSON object")
        return cast(dict[str, Any], value)

    def write(self, name: str, value: dict[str, Any], durable: bool = True) -> None:
        """Replace a file in one step; ``durable``: it survives a power cut right after. OSError."""
        self.write_bytes(name, json.dumps(value, indent=1).encode(), durable)

    def write_bytes(self, name: str, content: bytes, durable: bool = True) -> None:
        beside = self.path / f"{name}.new"
        with open(beside, "wb", opener=lambda p, flags: os.open(p, flags, 0o600)) as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        beside.replace(self.path / name)
        if durable:
            system.settle_folder(self.path)

    def credential(self) -> Credential:
        found = self.read("credential.json")
        if found is None:
            raise NotEnrolled(f"{self.path}: not enrolled; run `farmhand sentry enrol` first")
        try:
            check(_CREDENTIAL, found)
        except Invalid as error:
            raise NotEnrolled(f"{self.path}/credential.json: {error}") from None
        parse_broker(found["broker"])
        return Credential(**found)

    def keep(self, credential: Credential) -> None:
        self.write("credential.json", asdict(credential))

    def outbox(self, credential: Credential, settings: Settings, now: Callable[[], int]) -> Outbox:
        """The outbox. A damaged file is set aside for people to look at; a new stream begins."""
        path = self.path / "outbox.sqlite"
        limits = Limits(settings.queue_rows, settings.queue_bytes)

        def opened() -> Outbox:
            return Outbox(path, credential.sender, now, limits, settings.history)

        try:
            return opened()
        except sqlite3.OperationalError as error:
            raise HomeFailed(f"{path}: {error}") from None
        except sqlite3.DatabaseError as error:
            aside = path.with_suffix(f".damaged-{now()}")
            log.error("%s: %s; moved to %s, what was queued is lost", path, error, aside.name)
            path.rename(aside)
            for rest in ("-wal", "-shm"):
                path.with_name(path.name + rest).unlink(missing_ok=True)
            return opened()

    def tell_status(self, status: dict[str, Any]) -> None:
        """For `farmhand sentry status`, and for the next start: did this one end cleanly?"""
        try:
            self.write("status.json", status, durable=False)
        except OSError as error:
            log.error("%s/status.json cannot be written: %s", self.path, error)

    def lock(self) -> int:
        """Held until this process ends; HomeFailed when another sentry holds it."""
        handle = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        if not system.lock(handle):
            os.close(handle)
            raise HomeFailed(f"{self.path}: another sentry is running on this folder")
        return handle

    def running(self) -> bool:
        try:
            os.close(self.lock())
        except HomeFailed:
            return True
        return False


def host_id() -> str:
    """This host's name as an id."""
    name = re.sub(r"[^a-z0-9_-]+", "-", socket.gethostname().split(".")[0].lower()).strip("-_")
    return name[:63] or "sentry"


def find(state: Path | None) -> Home:
    """The folder given, else the only one below .farm/sentry; SentryError names the choice."""
    if state is not None:
        return Home(state)
    base = Path(".farm/sentry")
    found = sorted(path.parent for path in base.glob("*/credential.json"))
    if len(found) == 1:
        return Home(found[0])
    if not found:
        raise NotEnrolled("no enrolled sentry below .farm/sentry; enrol one, or give --state")
    choice = ", ".join(str(path) for path in found)
    raise SentryError(f"--state: must be given, there are several sentries here: {choice}")
