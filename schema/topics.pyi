from collections.abc import Mapping

from schema.message import Message

MAX_TOPIC: int

class Address:
    key: str
    domain: str
    node: str
    device: str
    name: str
    to: str
    def __init__(
        self, key: str, domain: str = "", node: str = "", device: str = "", name: str = "", to: str = ""
    ) -> None: ...

def build(
    message: Message,
    root: str,
    domain: str = "",
    node: str = "",
    device: str = "self",
    name: str = "",
    to: str = "",
) -> str: ...
def parse(topic: str, root: str) -> Address: ...
def declaration(messages: Mapping[str, Message], address: Address) -> Message: ...
