"""The secrets a farm begins with, and a kit for each of its domains.

`.farm/commander/secrets.json` (mode 0600): {"commander": {"user", "password"}, "ed25519":
{"private", "public"} (base64 of the 32 raw bytes), "stewards": {domain: password}, "bridges":
{link: password}}.
`.farm/ca/`: ca.pem and ca.key, and a certificate and key for each domain with TLS.
"""

import base64
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.certs import make_ca, make_server
from broker.errors import BadKit
from broker.farmfile import Farm, load
from broker.files import write_private
from broker.kit import Kit, install_kit, make_kit
from broker.passwords import hashed
from broker.users import COMMANDER, bootstrap_users, bridge_user, steward_user


@dataclass(frozen=True)
class Secrets:
    """Raw Ed25519 keys in base64, passwords in plain: they leave their file only in kits."""

    commander: dict[str, str]
    ed25519: dict[str, str]
    stewards: dict[str, str]
    bridges: dict[str, str]


def bootstrap(farm: Farm, state_dir: Path) -> None:
    """Make what is missing of secrets, CA and certificates, and install each domain's directory.

    Needs ``state_dir``/farm.toml. A second call changes no secret; a domain or link that was added
    to farm.toml gets its own.
    """
    secret = secrets_for(farm, state_dir)
    for domain in farm.domains:
        kit = make_kit(_kit(farm, state_dir, domain, secret))
        install_kit(kit, domain_dir(state_dir, domain), f"kit of {domain}")


def write_kit(state_dir: Path, domain: str, out: Path) -> None:
    """Export the kit of ``domain`` to the file ``out`` (mode 0600). Raises `BadKit`."""
    farm = load(_farm_text(state_dir), str(state_dir / "farm.toml"))
    if domain not in farm.domains:
        raise BadKit(f"domain {domain!r} is not in farm.toml; allowed: {', '.join(farm.domains)}")
    content = make_kit(_kit(farm, state_dir, domain, secrets_for(farm, state_dir)))
    try:
        write_private(out, content)
    except OSError as error:
        raise BadKit(f"{out}: cannot write: {error.strerror}") from None


def domain_dir(state_dir: Path, domain: str) -> Path:
    return state_dir / "broker" / domain


def secrets_for(farm: Farm, state_dir: Path) -> Secrets:
    """The farm's secrets, made and stored where they were missing."""
    path = state_dir / "commander" / "secrets.json"
    known: dict[str, dict[str, str]] = {}
    try:
        if path.exists():
            known = cast(dict[str, dict[str, str]], json.loads(path.read_bytes()))
        commander = known.get("commander") or {"user": COMMANDER, "password": _password()}
        stewards, bridges = known.get("stewards", {}), known.get("bridges", {})
        found = Secrets(
            commander,
            known.get("ed25519") or _key_pair(),
            stewards | {name: _password() for name in farm.domains if name not in stewards},
            bridges | {link.name: _password() for link in farm.links if link.name not in bridges},
        )
        if vars(found) != known:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_private(path, json.dumps(vars(found), indent=1).encode())
    except (ValueError, AttributeError, TypeError):
        raise BadKit(f"{path}: is damaged; restore it from a backup") from None
    except OSError as error:
        raise BadKit(f"{path}: {error.strerror}") from None
    return found


def _kit(farm: Farm, state_dir: Path, domain: str, secret: Secrets) -> Kit:
    passwords = {steward_user(name): value for name, value in secret.stewards.items()}
    passwords |= {bridge_user(link): value for link, value in secret.bridges.items()}
    passwords[COMMANDER] = secret.commander["password"]
    hashes = {name: hashed(value) for name, value in passwords.items()}
    ca, certificate, key = _certificates(farm, state_dir, domain)
    return Kit(
        domain,
        _farm_text(state_dir),
        secret.ed25519["public"],
        secret.stewards[domain],
        {link.name: secret.bridges[link.name] for link in farm.links if link.dials == domain},
        bootstrap_users(farm, domain, hashes),
        ca,
        certificate,
        key,
    )


def _certificates(farm: Farm, state_dir: Path, domain: str) -> tuple[str, str, str]:
    if not any(each.tls for each in farm.domains.values()):
        return "", "", ""
    folder = state_dir / "ca"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (folder / "ca.key").exists():
        _store_pair(folder, "ca", make_ca(f"farmhand {farm.root}"))
    ca = (folder / "ca.pem").read_text()
    if not farm.domains[domain].tls:
        return ca, "", ""
    # The host is part of the name: a broker that moves needs another certificate.
    host = farm.domains[domain].host
    name = f"{domain}-{host.replace(':', '_')}"
    if not (folder / f"{name}.key").exists():
        certificate, key = make_server(ca, (folder / "ca.key").read_text(), host)
        # The CA goes along: a new sentry knows only its fingerprint, and compares that with what the broker shows.
        _store_pair(folder, name, (certificate + ca, key))
    return ca, (folder / f"{name}.pem").read_text(), (folder / f"{name}.key").read_text()


def _store_pair(folder: Path, name: str, pair: tuple[str, str]) -> None:
    write_private(folder / f"{name}.pem", pair[0].encode())
    write_private(folder / f"{name}.key", pair[1].encode())


def _farm_text(state_dir: Path) -> str:
    path = state_dir / "farm.toml"
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadKit(f"{path}: cannot read: {error.strerror}") from None


def _password() -> str:
    return secrets.token_urlsafe(32)


def _key_pair() -> dict[str, str]:
    private = Ed25519PrivateKey.generate()
    return {
        "private": base64.b64encode(private.private_bytes_raw()).decode(),
        "public": base64.b64encode(private.public_key().public_bytes_raw()).decode(),
    }
