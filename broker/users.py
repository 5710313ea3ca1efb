"""Who may log in at a broker, and with which role. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, cast, get_args

from broker.errors import BadCredentials
from broker.farmfile import ID, ID_RULE, Farm
from broker.passwords import HASH

Role = Literal["node", "token", "reader", "bridge", "steward", "commander"]
ROLES: tuple[str, ...] = get_args(Role)
# Bootstrap alone makes the others: a document could otherwise hand out the whole broker.
GIVEN_ROLES = ("node", "token", "reader")

COMMANDER = "commander"
GRANT = re.compile(r"(read|write|readwrite) ([^\s\x00]{1,512})")


@dataclass(frozen=True)
class User:
    """A user of one broker; ``hash`` as from `passwords.hashed`, ``grants`` as "read farm/x/#"."""

    user: str
    hash: str
    role: Role
    grants: tuple[str, ...] = ()


def steward_user(domain: str) -> str:
    return f"steward-{domain}"


def bridge_user(link: str) -> str:
    return f"bridge-{link}"


def bootstrap_users(farm: Farm, domain: str, passwords: Mapping[str, str]) -> tuple[User, ...]:
    """Users before any document: the steward, the bridges that dial in, the commander at home.

    ``passwords``: user name -> hash.
    """
    names: list[tuple[str, Role]] = [(steward_user(domain), "steward")]
    for link in farm.links:
        if link.answers == domain:
            names.append((bridge_user(link.name), "bridge"))
    if domain == farm.home:
        names.append((COMMANDER, "commander"))
    return tuple(User(name, passwords[name], role) for name, role in names)


def from_document(data: object) -> tuple[User, ...]:
    """Users of a desired document `credentials`; raises `BadCredentials` naming the field."""
    entries = cast(dict[str, object], data).get("users") if isinstance(data, dict) else None
    if not isinstance(entries, list):
        raise BadCredentials("users: must be a list")
    users = tuple(_user(f"users[{i}]", e) for i, e in enumerate(cast(list[object], entries)))
    names: set[str] = set()
    for user in users:
        if user.user in names:
            raise BadCredentials(f"users: {user.user} is listed twice")
        names.add(user.user)
    return users


def merged(bootstrap: Iterable[User], given: Iterable[User]) -> tuple[User, ...]:
    """Both together; a bootstrap user cannot be replaced by a document."""
    users = {user.user: user for user in given}
    users.update({user.user: user for user in bootstrap})
    return tuple(users.values())


def from_json(value: object) -> User:
    """A user as the kit and users.json keep it: every role is allowed here."""
    return _user("users", value, ROLES)


def _user(where: str, value: object, roles: tuple[str, ...] = GIVEN_ROLES) -> User:
    if not isinstance(value, dict):
        raise BadCredentials(f"{where}: must be an object with user, hash, role, grants")
    entry = cast(dict[str, object], value)
    for key in entry:
        if key not in ("user", "hash", "role", "grants"):
            raise BadCredentials(f"{where}.{key}: unknown; allowed: user, hash, role, grants")
    name, password, role = (entry.get(key) for key in ("user", "hash", "role"))
    if not isinstance(name, str) or not (ID.fullmatch(name) or "bridge" in roles):
        raise BadCredentials(f"{where}.user: {ID_RULE}")
    if not isinstance(password, str) or not HASH.fullmatch(password):
        raise BadCredentials(f"{where}.hash: must be $7$<rounds>$<salt>$<64 bytes>, base64")
    if role not in roles:
        raise BadCredentials(f"{where}.role: must be one of: {', '.join(roles)}")
    grants = entry.get("grants", [])
    if not isinstance(grants, list | tuple):
        raise BadCredentials(f"{where}.grants: must be a list")
    for grant in cast(list[object], grants):
        if not isinstance(grant, str) or not is_grant(grant):
            raise BadCredentials(f"{where}.grants: {grant!r} must be read|write|readwrite <filter>")
    return User(name, password, cast(Role, role), tuple(cast(list[str], grants)))


def is_grant(grant: str) -> bool:
    """Whether it is "read|write|readwrite <filter>", as an access list takes it."""
    form = GRANT.fullmatch(grant)
    if form is None:
        return False
    levels = form[2].split("/")
    return all(
        ("+" not in level or level == "+") and ("#" not in level or (level == "#" and last))
        for level, last in ((level, i == len(levels) - 1) for i, level in enumerate(levels))
    )
