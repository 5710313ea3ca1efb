"""The kit: a file with all that a domain's broker starts from, and the directory it becomes.

A directory holds kit.json (as delivered), ca.pem server.pem server.key (with TLS), users.json (from
the last credentials document), steward.json (what the steward remembers), and the files written for
and by Mosquitto: mosquitto.conf acl passwd mosquitto.db.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

from broker.errors import BadKit, BrokerError
from broker.farmfile import Farm, load
from broker.files import write_private
from broker.users import User, from_json

FORMAT = "farmhand-broker-kit-1"


@dataclass(frozen=True)
class Kit:
    """What one broker and its steward start from.

    ``farm_text``: farm.toml. ``commander_key``: Ed25519 public key, base64. ``bridges``: link ->
    password, for the links this domain dials. ``users``: who exists before any document.
    ``ca`` and ``certificate``, ``key``: PEM, empty where no TLS is used.
    """

    domain: str
    farm_text: str
    commander_key: str
    steward_password: str
    bridges: Mapping[str, str]
    users: tuple[User, ...]
    ca: str = ""
    certificate: str = ""
    key: str = ""

    @property
    def farm(self) -> Farm:
        return load(self.farm_text, "farm.toml of the kit")


def make_kit(kit: Kit) -> bytes:
    """The kit as a file: JSON. It holds secrets; keep it as private as a key."""
    return json.dumps({"format": FORMAT, **asdict(kit)}, indent=1).encode() + b"\n"


def read_kit(content: bytes, name: str = "kit") -> Kit:
    """The kit in a file's ``content``; raises `BadKit`, saying what is wrong with file ``name``."""
    try:
        document: object = json.loads(content)
    except ValueError:
        raise BadKit(f"{name}: is no JSON; expected a file made by `farmhand broker kit`") from None
    fields = cast(dict[str, object], document) if isinstance(document, dict) else {}
    if fields.pop("format", None) != FORMAT:
        raise BadKit(f"{name}: format must be {FORMAT}; make the kit with this version of farmhand")
    texts = {key: fields.pop(key, None) for key in _TEXTS}
    for key, value in texts.items():
        if not isinstance(value, str):
            raise BadKit(f"{name}: {key} must be text")
    bridges, users = fields.pop("bridges", None), fields.pop("users", None)
    if not isinstance(bridges, dict):
        raise BadKit(f"{name}: bridges must be an object of link -> password")
    if not isinstance(users, list):
        raise BadKit(f"{name}: users must be a list")
    if fields:
        raise BadKit(f"{name}: unknown field {next(iter(fields))}")
    try:
        known = tuple(from_json(each) for each in cast(list[object], users))
        kit = Kit(**cast(dict[str, str], texts), bridges=cast(dict[str, str], bridges), users=known)
        farm = kit.farm
    except BrokerError as error:
        raise BadKit(f"{name}: {error}") from None
    if kit.domain not in farm.domains:
        raise BadKit(f"{name}: domain {kit.domain} is not in its farm.toml")
    for link in farm.links:
        if link.dials == kit.domain and link.name not in kit.bridges:
            raise BadKit(f"{name}: bridges has no password for link {link.name}")
    return kit


_TEXTS = ("domain", "farm_text", "commander_key", "steward_password", "ca", "certificate", "key")


def install_kit(content: bytes, directory: Path, name: str = "kit") -> Kit:
    """Unpack a kit into ``directory`` (made, mode 0700); what a steward keeps there stays."""
    kit = read_kit(content, name)
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for file, text in (
            ("ca.pem", kit.ca),
            ("server.pem", kit.certificate),
            ("server.key", kit.key),
        ):
            if text:
                write_private(directory / file, text.encode())
        # Last, because a running steward starts afresh when it changes.
        write_private(directory / "kit.json", content)
    except OSError as error:
        raise BadKit(f"{directory}: cannot write: {error.strerror}") from None
    return kit


def installed(directory: Path) -> Kit:
    """The kit unpacked in ``directory``."""
    path = directory / "kit.json"
    try:
        return read_kit(path.read_bytes(), str(path))
    except FileNotFoundError:
        hint = "run `farmhand broker install KIT DIR` first"
        raise BadKit(f"{directory}: no broker is installed here; {hint}") from None
    except OSError as error:
        raise BadKit(f"{path}: cannot read: {error.strerror}") from None
