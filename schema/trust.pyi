from collections.abc import Callable
from typing import Any

from schema.judge import accept_command as accept_command
from schema.judge import accept_desired as accept_desired
from schema.judge import judge_epoch as judge_epoch
from schema.mac import hmac_sha256 as hmac_sha256
from schema.mac import same as same
from schema.message import Message
from schema.seal import seal as seal
from schema.seal import signed_text as signed_text

def hmac_verifier(key: bytes) -> Callable[[bytes, bytes], bool]: ...
def unseal(
    message: Message,
    topic: str,
    payload: bytes,
    verify: Callable[[bytes, bytes], bool],
    limit: int = ...,
) -> dict[str, Any]: ...
