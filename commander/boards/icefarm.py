"""What the PyPI client `icefarm` says, in the words of this farm, and back. Pure.

It names boards by serial and knows no leases; its name is the `name` of the leases that it has here.
"""

import re
from typing import Any, NamedTuple, cast

from commander.effects import Farm, Refused, Row
from schema import wire
from schema.boards import MOST_CALLED, MOST_FILES
from schema.message import Invalid

MOST_SERIALS = 1_000
NO_MEANING = ("flush_interval_seconds", "flush_at_bitstreams_remaining", "send_waveform")
METHOD = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
WORD = re.compile(r"[^\x00-\x1f]{1,128}")

INITIALIZED, RESULTS, AVAILABLE = "initialized", "results", "devices_available"
EVENTS = {"ending-soon": "reservation ending soon", "ended": "reservation end"}
"""What of the history -> the event that a client is told as it comes. The others take more thought."""


class Request(NamedTuple):
    """A call of a method, with bitstreams by the id of their evaluation."""

    serials: tuple[str, ...]
    method: str
    args: Row
    batch: str
    files: dict[str, bytes]


class Call(NamedTuple):
    """The part of a request that one lease can be asked at once."""

    lease: str
    serials: list[str]


def wish(name: str, kind: str, args: Row, count: int | None, serials: list[str], idle_s: int | None) -> Row:
    """For leases.reserve. The client waits by itself for boards to be free, so it is never put into the queue."""
    kept = {word: value for word, value in args.items() if word not in NO_MEANING}
    lease: Row = {"name": name, "kind": kind, "args": kept, "count": count, "serials": serials, "idle_s": idle_s}
    return lease | {"id": None, "selector": {}, "together": [], "length_s": None, "priority": 0, "wait": False}


def rows(serials: list[str], scheme: str, host: str, port: int) -> list[Row]:
    """The answer to a reservation: 0.1.15 reads ip and serverport, 0.1.16 url. Both mean the server of a board, where
    `host` has the client's key before it, if it needs one: its second socket sends what is in that address."""
    there: Row = {"ip": host, "serverport": port, "url": f"{scheme}://{host}:{port}"}
    return [{"serial": serial, **there} for serial in serials]


def leases_of(farm: Farm, user: str, name: str | None = None) -> list[Row]:
    """The active ones of a client, or of all clients."""
    found = [row for row in list(farm["board_lease"].values()) if row["user"] == user and row["state"] == "active"]
    return [row for row in found if name is None or row["name"] == name]


def calls(leases: list[Row], serials: set[str]) -> list[Call]:
    """A request for these boards, by lease; boards of no lease are in none."""
    found: list[Call] = []
    for lease in leases:
        mine = sorted(serials & set(lease["boards"]))
        found += [Call(lease["id"], mine[at : at + MOST_CALLED]) for at in range(0, len(mine), MOST_CALLED)]
    return found


def event(serial: str, what: str, **contents: Any) -> str:
    """The text of one event."""
    return told(serial, what, contents)


def told(serial: str, what: str, contents: Row) -> str:
    """The text of an event that a user's own state tells."""
    return wire.dumps({"serial": serial, "contents": [{**contents, "event": what}]}).decode()


def results(serial: str, batch: str, values: dict[str, Any]) -> str:
    """The client has no word for a bitstream that failed. None ends its wait for it, and cannot be taken for a
    count."""
    pairs = [[evaluation, _value(value)] for evaluation, value in values.items()]
    return event(serial, RESULTS, batch_id=batch, results=pairs)


def result(row: Row) -> str:
    """Of a row of `board_result`."""
    return results(row["serial"], row["batch"], {row["evaluation"]: None if row["problem"] else row["value"]})


def request(data: Any) -> list[Request]:
    """What a client emits as `request`, in parts of as many files as a call may have. Refused."""
    if not isinstance(data, bytes):
        raise Refused("request", "must be msgpack")
    try:
        found = wire.loads(data)
    except Invalid as error:
        raise Refused("request", error.problem) from None
    asked = _object("request", found)
    method = asked.get("event")
    if not isinstance(method, str) or not METHOD.fullmatch(method):
        raise Refused("event", "must name a method")
    contents = dict(_object("contents", asked.get("contents")))
    files = _files(contents.pop("files", {}))
    batch = contents.pop("batch_id", "")
    if batch != "" and not _is_word(batch):
        raise Refused("contents.batch_id", "must be text of 1 to 128 characters")
    args = contents | ({"batch": batch} if batch else {})
    names = list(files)
    parts = [names[at : at + MOST_FILES] for at in range(0, len(names), MOST_FILES)] or [[]]
    serials = _serials(asked.get("serial"))
    return [Request(serials, method, args, batch, {name: files[name] for name in part}) for part in parts]


def _value(value: Any) -> Any:
    return str(value) if type(value) is int else value


def _object(field: str, value: Any) -> Row:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in cast("dict[Any, Any]", value)):
        raise Refused(field, "must be an object")
    return cast("Row", value)


def _files(value: Any) -> dict[str, bytes]:
    files = _object("contents.files", value)
    if not all(_is_word(name) and isinstance(data, bytes) for name, data in files.items()):
        raise Refused("contents.files", "must be bytes by the id of an evaluation, of 1 to 128 characters")
    return files


def _serials(value: Any) -> tuple[str, ...]:
    given = cast("list[Any]", value) if isinstance(value, list) else [value]
    if not 0 < len(given) <= MOST_SERIALS or not all(_is_word(each) for each in given):
        raise Refused("serial", f"must be a serial, or a list of 1 to {MOST_SERIALS} of them")
    return tuple(dict.fromkeys(each.lower() for each in given))


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and WORD.fullmatch(value) is not None
