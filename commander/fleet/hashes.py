"""Stable ids made of names."""

from functools import lru_cache
from hashlib import blake2b


@lru_cache(maxsize=65_536)
def hashed_id(*names: str) -> int:
    """Positive 63-bit id of some names: the same on every commander, so no counter has to be shared."""
    return int.from_bytes(blake2b("/".join(names).encode(), digest_size=8).digest(), "big") >> 1
