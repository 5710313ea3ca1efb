"""What a rule answers: values that say what shall become true. Nothing happens until flow.py commits them."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from schema.message import Invalid, Message

Row = dict[str, Any]
Key = Any  # the primary key: a value, or a tuple when it has several columns
Farm = Mapping[str, Mapping[Key, Row]]


class Put(NamedTuple):
    """State: this row of a table is now so (None: gone). Goes to the projection and, once per batch and key, to the
    database.
    """

    table: str
    key: Key
    row: Row | None


class Add(NamedTuple):
    """History: append this row. Never read by a rule."""

    table: str
    row: Row


class Send(NamedTuple):
    """A message to publish after the commit. `data` as schema/ declares it; signed kinds are sealed by the flow.

    durable: stored in the outbox table and repeated until the broker has acknowledged it.
    after: (node, document, revision) that shall be applied first; waited for only a few seconds.
    """

    message: Message
    domain: str
    node: str
    data: Any
    device: str = "self"
    name: str = ""
    durable: bool = True
    after: tuple[str, str, int] | None = None


class SendBlob(NamedTuple):
    """A block of a file for a node that asked for it; read and sent beside the line (blob_edge.py), or dropped when the
    node asks for too much at once. `total`: length of the file, 0 when there is no such file.
    """

    domain: str
    node: str
    device: str
    sha256: str
    offset: int
    size: int
    total: int


Effect = Put | Add | Send | SendBlob
Effects = list[Effect]


class Refused(ValueError):
    """A request of a person or program that cannot be done: status is the HTTP status, field and problem say why."""

    def __init__(self, field: str, problem: str, status: int = 422) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem
        self.status = status
        self.user_message = str(self)


def refuse_unless(test: Callable[[str, Any], object], field: str, value: Any) -> None:
    """Refused when a check of schema/ says so."""
    try:
        test(field, value)
    except Invalid as error:
        raise Refused(error.field, error.problem) from None


class Moment(NamedTuple):
    """What a rule must be told because it may not look: the time, fresh random bytes, who asks, and how the message
    came.
    """

    now: int
    dice: Callable[[int], bytes]
    retained: bool = False
    qos: int = 1
    by: str = ""


def audit(moment: Moment, what: str, subject: str, data: Row) -> Add:
    """An entry of the audit log: who did what, to what."""
    return Add("audit", {"ts": moment.now, "by": moment.by, "what": what, "subject": subject, "data": data})
