from collections.abc import Callable

from schema.errors import Invalid as Invalid
from schema.text import is_id as is_id
from schema.text import is_name as is_name
from schema.text import is_text as is_text
from schema.text import shown as shown

MAX_PAYLOAD: int
MAX_DEPTH: int
MAX_ITEMS: int
INT_MIN: int
INT_MAX: int
TIME_MAX: int

Check = Callable[[str, object], None]
Fields = tuple[tuple[str, str, str, str], ...]

class Message:
    key: str
    topic: str
    way: str
    qos: int
    retain: bool
    body: str
    fields: Fields
    extra: str | None
    text: str
    def __init__(
        self,
        key: str,
        topic: str,
        way: str,
        qos: int,
        retain: bool,
        body: str,
        fields: Fields,
        extra: str | None = None,
        text: str = "",
    ) -> None: ...
    def checks(self) -> tuple[dict[str, Check], tuple[str, ...], Check | None]: ...

def check(message: Message, data: object) -> None: ...
def is_int(field: str, value: object) -> None: ...
def is_num(field: str, value: object) -> None: ...
def is_time(field: str, value: object) -> None: ...
def is_scalar(field: str, value: object) -> None: ...
def is_json(field: str, value: object) -> None: ...
def checker(kind: str) -> Check: ...
