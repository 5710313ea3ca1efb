"""Addresses of pools. Pure."""

import re
from typing import NamedTuple

PLAIN, TLS = "stratum+tcp", "stratum+ssl"
SCHEMES = {PLAIN: False, TLS: True, "tcp": False, "ssl": True, "http": False, "https": True}
# Other protocols that miners speak, in the same form: ethproxy+tcp, zmp+ssl.
_OTHER = re.compile(r"[a-z0-9]{1,16}\+(tcp|ssl)")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\]")
_FORM = "must be host:port, or one of " + ", ".join(f"{scheme}://host:port" for scheme in SCHEMES)


class Url(NamedTuple):
    """`text` is the whole of it: scheme://host:port."""

    text: str
    host: str
    port: int
    tls: bool


def parse(text: str, tls: bool | None = None) -> Url:
    """`tls`: as the user says it, who may leave it to the scheme. ValueError says what is wrong."""
    scheme, separator, rest = text.rpartition("://")
    if not separator:
        scheme = TLS if tls else PLAIN
    if scheme not in SCHEMES and not _OTHER.fullmatch(scheme):
        raise ValueError(f"{scheme[:40]!r} is no scheme for a pool: {_FORM}")
    host, _, port = rest.removesuffix("/").rpartition(":")
    if not _HOST.fullmatch(host):
        raise ValueError(_FORM)
    if not (port.isascii() and port.isdecimal() and len(port) <= 5 and 1 <= int(port) <= 65_535):
        raise ValueError("the port must be from 1 to 65535")
    secret = SCHEMES[scheme] if scheme in SCHEMES else scheme.endswith("+ssl")
    if tls is not None and tls != secret:
        raise ValueError(f"{scheme}:// is {'with' if secret else 'without'} TLS, but `tls` says otherwise")
    return Url(f"{scheme}://{host}:{port}", host, int(port), secret)
