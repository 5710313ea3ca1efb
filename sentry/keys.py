"""The commander's public key."""

import base64
from collections.abc import Callable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sentry.errors import NotEnrolled


def verifier(key: str) -> Callable[[bytes, bytes], bool]:
    """verify(text, signature) for an Ed25519 key in base64; NotEnrolled when it is none."""
    try:
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key, validate=True))
    except ValueError:
        problem = "credential.json: verify: must be an Ed25519 public key, 32 bytes in base64"
        raise NotEnrolled(problem) from None

    def verify(text: bytes, signature: bytes) -> bool:
        try:
            public.verify(signature, text)
        except InvalidSignature:
            return False
        return True

    return verify
