from collections.abc import Callable
from typing import Any

from schema.message import Message

def signed_text(topic: str, body: str) -> bytes: ...
def seal(message: Message, topic: str, data: dict[str, Any], sign: Callable[[bytes], bytes]) -> bytes: ...
