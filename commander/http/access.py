"""Who may ask: API keys with roles. A key comes as `Authorization: Bearer ...`, or as the cookie that the page sets."""

from hashlib import sha256
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlsplit

from fastapi import Depends, Request

from commander.effects import Refused, Row
from commander.service import Service

ROLES = ("reader", "operator", "admin")
COOKIE = "farmhand_key"
HARMLESS = ("GET", "HEAD", "OPTIONS")


class Caller(NamedTuple):
    """The key that asks, and its role."""

    name: str
    role: str

    @property
    def user(self) -> str:
        """The key's name alone: whose boards are whose."""
        return self.name.rpartition(" (")[0]


def key_hash(key: str) -> str:
    """What is kept of a key: SHA-256 in hex. Keys have 32 random bytes, so nothing slower is needed."""
    return sha256(key.encode()).hexdigest()


def service_of(request: Request) -> Service:
    """The commander behind this application."""
    service: Service = request.app.state.service
    return service


def given_key(request: Request) -> str:
    """The key of a request, or empty; Refused (403) for a change that a foreign page asks for with the browser's
    cookie.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    key = request.cookies.get(COOKIE, "")
    if key and request.method not in HARMLESS:
        refuse_foreign(request)
    return key


def refuse_foreign(request: Request) -> None:
    """Refused (403) unless the page that asks is ours. SameSite alone would let another port of this host through."""
    origin = request.headers.get("origin", "")
    if urlsplit(origin).netloc != request.headers.get("host"):
        raise Refused("origin", f"must be this site, not {origin[:80] or 'missing'}", 403)


def caller_of(request: Request) -> Caller:
    """The caller; Refused (401) without a known key."""
    key = given_key(request)
    if not key:
        raise Refused("key", "missing; send it as `Authorization: Bearer <key>` (farmhand key create makes one)", 401)
    row = find_key(service_of(request).flow.farm, key)
    if row is None:
        raise Refused("key", "unknown", 401)
    return Caller(f"{row['name']} ({row['id']})", row["role"])


def may_see_secrets(caller: Caller) -> bool:
    """Whether API tokens of miners and passwords of pools are shown to the caller."""
    return caller.role != "reader"


def find_key(farm: Any, key: str) -> Row | None:
    """The row of an API key."""
    wanted = key_hash(key)
    for row in list(farm["api_key"].values()):
        if row["hash"] == wanted:
            return row
    return None


# FastAPI runs plain functions in threads, which costs far more than these do.
async def _service(request: Request) -> Service:
    return service_of(request)


def _at_least(role: str) -> Any:
    async def check(request: Request) -> Caller:
        caller = caller_of(request)
        if ROLES.index(caller.role) < ROLES.index(role):
            raise Refused("role", f"this needs the role {role}; the key is for {caller.role}", 403)
        return caller

    return Depends(check)


Served = Annotated[Service, Depends(_service)]
Reader = Annotated[Caller, _at_least("reader")]
Operator = Annotated[Caller, _at_least("operator")]
Admin = Annotated[Caller, _at_least("admin")]
