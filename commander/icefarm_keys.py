"""API keys of iCEFARM clients. That client knows none, but its HTTP library and its sockets send name and password of
an address: `http://any:KEY@host:port`.
"""

from base64 import b64decode
from urllib.parse import quote

from commander.effects import Refused
from commander.http.access import find_key
from commander.service import Service


def admit(service: Service, authorization: str) -> str:
    """Refused unless this client may come in. What its next addresses need before the host: `any:KEY@`, or nothing."""
    if not service.settings.icefarm_keys:
        return ""
    name, key = _basic(authorization)
    row = find_key(service.flow.farm, key)
    if row is None:
        problem = "unknown" if key else "missing"
        raise Refused("key", f"{problem}; the client's address must be http://any:<key>@host:port", 401)
    if row["role"] == "reader":
        raise Refused("role", "this needs the role operator; the key is for reader", 403)
    return f"{quote(name, safe='')}:{quote(key, safe='')}@"


def _basic(authorization: str) -> tuple[str, str]:
    scheme, _, word = authorization.partition(" ")
    try:
        name, _, key = b64decode(word, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return (name, key) if scheme.lower() == "basic" else ("", "")
