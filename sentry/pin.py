"""TLS without a public authority: trust the one CA whose fingerprint the token carries."""

import hashlib
import socket
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sentry.errors import BrokerRefused


def only_from(ca: Path | None) -> ssl.SSLContext:
    """A context that accepts servers certified by the CA in this file, and no others."""
    if ca is None or not ca.exists():
        raise BrokerRefused("no CA certificate of the farm is kept here; enrol again")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=ca)
    return context


def fetch_ca(host: str, port: int, fingerprint: str, timeout_s: float = 10) -> str:
    """PEM of the certificate in the server's chain whose SHA-256 is ``fingerprint`` (hex).

    Nothing secret is sent: the handshake only shows the chain. BrokerRefused when none fits.
    """
    if not fingerprint:
        raise BrokerRefused("token: has no CA fingerprint; it was made for a broker without TLS")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # checked by fingerprint below, then by the CA itself
    try:
        with (
            socket.create_connection((host, port), timeout_s) as plain,
            context.wrap_socket(plain, server_hostname=host) as secured,
        ):
            chain = list(_chain(secured))
    except ssl.SSLError as error:
        raise BrokerRefused(f"{host}:{port}: no TLS there: {error.reason}") from None
    except OSError as error:
        raise BrokerRefused(f"{host}:{port}: {error}") from None
    for certificate in chain:
        if hashlib.sha256(certificate).hexdigest() == fingerprint.lower():
            return ssl.DER_cert_to_PEM_cert(certificate)
    raise BrokerRefused(
        f"{host}:{port}: none of the {len(chain)} certificates shown is the CA of the token"
        f" (sha256 {fingerprint[:16]}…): not this farm's broker, or somebody in between"
    )


def _chain(secured: ssl.SSLSocket) -> Iterable[bytes]:
    # Public since 3.13 as SSLSocket.get_unverified_chain(), there as bytes.
    public: Any = getattr(secured, "get_unverified_chain", None)
    if public is not None:
        return public()
    hidden: Any = getattr(secured, "_sslobj")  # noqa: B009 (3.11 and 3.12 have it in here alone)
    return [each.public_bytes(2) for each in hidden.get_unverified_chain() or ()]  # 2: DER
