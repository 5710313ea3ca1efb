"""Signing: Ed25519 for hosts, HMAC-SHA256 with the node's own key for boards."""

import base64
from collections.abc import Callable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from commander.effects import Row
from schema.trust import hmac_sha256


class Keys:
    """The commander's key pair, from .farm/commander/secrets.json (base64 of 32 raw bytes each)."""

    def __init__(self, private: str, public: str) -> None:
        self.public = public
        self._private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(private))
        self._public = Ed25519PublicKey.from_public_bytes(base64.b64decode(public))

    def sign(self, text: bytes) -> bytes:
        """Ed25519 signature (64 bytes)."""
        return self._private.sign(text)

    def signer_for(self, node: Row | None) -> Callable[[bytes], bytes]:
        """How to sign for a node: with its own key when it is a board."""
        if node is not None and node["sign"] == "hmac":
            key = base64.b64decode(node["key"])
            return lambda text: hmac_sha256(key, text)
        return self.sign

    def verify(self, text: bytes, signature: bytes) -> bool:
        """Whether this commander's key made the signature."""
        try:
            self._public.verify(signature, text)
        except InvalidSignature:
            return False
        return True
