"""What the files beside this one share: refusals in the words of schema/, the farm as a change would leave it, entries
of the audit log. Pure.
"""

from collections.abc import Iterable
from typing import Any

from commander.effects import Farm, Key, Moment, Put, Refused, Row
from commander.mining.render import Unrenderable, check
from schema import message as declared
from schema.message import Invalid, Message

Tables = dict[str, dict[Key, Row]]


def refuse_unlike(message: Message, data: Any, prefix: str = "") -> None:
    """Refused unless `data` is what `message` declares; the field is named below `prefix`."""
    try:
        declared.check(message, data)
    except Invalid as error:
        raise Refused(f"{prefix}.{error.field}" if prefix else error.field, error.problem) from None


def refuse_unless_template(field: str, text: str) -> None:
    """Refused unless the text's placeholders can be read."""
    try:
        check(text)
    except Unrenderable as error:
        raise Refused(field, f"{text[:60]!r} {error}") from None


def with_puts(farm: Farm, puts: Iterable[Put]) -> Farm:
    """The farm as it will be; the given one stays as it is."""
    after: dict[str, Any] = dict(farm)
    copied: set[str] = set()
    for put in puts:
        if put.table not in copied:
            after[put.table] = dict(farm[put.table])
            copied.add(put.table)
        if put.row is None:
            after[put.table].pop(put.key, None)
        else:
            after[put.table][put.key] = put.row
    return after


def record(old: Row | None, key: Row, data: Any, moment: Moment) -> Row:
    """A row of a record in its next version."""
    version = old["version"] + 1 if old else 1
    return {**key, "version": version, "data": data, "updated": moment.now, "by": moment.by}


def refuse_other_version(old: Row | None, wanted: int | None) -> None:
    """Refused (409) when somebody else has changed the record meanwhile."""
    have = old["version"] if old else 0
    if wanted is not None and wanted != have:
        raise Refused("if_version", f"the farm has version {have}, not {wanted}", 409)
