"""What people wish for, and what cannot be. Pure: Refused names the field."""

from typing import NamedTuple

from commander.boards.book import Book
from commander.boards.gangs import is_complete, matched
from commander.boards.pool import UNWELL, WELL, Board, firmwares, is_firmware, kinds, suits, whatever_health
from commander.effects import Refused, Row, refuse_unless
from commander.fleet.enrolment import check_size
from schema import wire
from schema.message import is_id, is_json

LENGTH_S = 3_600
ARGS_BYTES = 512  # as JSON within JSON: a document holds those of all boards of a sentry
MOST_COUNT = 1_000
MOST_WAITING = 100  # wishes of one user
MOST_PRIORITY = 100
MOST_GANG, MOST_GANG_BOARDS = 16, 100


class Asker(NamedTuple):
    """Whose leases are meant, and whether others' may be touched too."""

    user: str
    admin: bool = False


class Limits(NamedTuple):
    """Of the settings: how long a lease may last in all, and without use (None: for ever) unless its wish says."""

    max_s: int = 86_400
    idle_s: int | None = None


def parts_of(wish: Row) -> list[Row]:
    """The wishes of its gang, most often just this one; its id is the first one's."""
    return [wish, *({**wish, "id": None, **part} for part in wish["together"])]


def decided(asker: Asker, wish: Row, limits: Limits) -> Row:
    """What of a lease its wish decides."""
    serials: list[str] = [serial.lower() for serial in wish["serials"]]
    count: int = wish["count"] if wish["count"] is not None else len(serials) or 1
    length_s: int = wish["length_s"] if wish["length_s"] is not None else min(LENGTH_S, limits.max_s)
    same = {name: wish[name] for name in ("name", "kind", "args", "selector", "priority", "idle_s")}
    return same | {"user": asker.user, "count": count, "serials": serials, "length_s": length_s}


def lease_of(book: Book, asker: Asker, wish: Row, limits: Limits) -> Row:
    asked = decided(asker, wish, limits)
    serials, count, length_s = asked["serials"], asked["count"], asked["length_s"]
    refuse_unless(is_id, "kind", wish["kind"])
    refuse_unless(is_json, "args", {"boards": [wish["args"]]})  # as deep as the document has it
    check_size("args", wish["args"])
    if len(wire.dumps(wire.dumps(wish["args"]).decode())) > ARGS_BYTES:
        raise Refused("args", f"must be at most {ARGS_BYTES} bytes")
    if len(set(serials)) < len(serials):
        raise Refused("serials", "must not name a board twice")
    if serials and count != len(serials):
        raise Refused("count", f"must be left out or {len(serials)}, as serials name so many boards")
    if not 1 <= count <= MOST_COUNT:
        raise Refused("count", f"must be from 1 to {MOST_COUNT}")
    if not 1 <= length_s <= limits.max_s:
        raise Refused("length_s", f"must be from 1 to {limits.max_s}")
    if wish["idle_s"] is not None and not 1 <= wish["idle_s"] <= limits.max_s:
        raise Refused("idle_s", f"must be from 1 to {limits.max_s}, or null")
    if not 0 <= wish["priority"] <= MOST_PRIORITY:
        raise Refused("priority", f"must be from 0 to {MOST_PRIORITY}")
    if wish["priority"] and not asker.admin:
        raise Refused("priority", "above 0 needs the role admin", 403)
    check_health("selector.health", wish["selector"].get("health"))
    if sum(row["user"] == asker.user for row in book.in_state("waiting")) >= MOST_WAITING:
        raise Refused("wait", f"{asker.user} has {MOST_WAITING} wishes waiting already", 409)
    lease: Row = {
        **asked,
        **{"id": wish["id"] or "l-" + book.moment.dice(8).hex(), "gang": "", "state": "waiting", "boards": {}},
        **{"created": book.moment.now, "begun": 0, "until": 0, "used": 0, "ended": 0, "why": ""},
        **{"warned": False, "wanted": 0, "failing": {}, "had": {}},
    }
    _refuse_impossible(book, lease)
    return lease


def check_health(field: str, word: str | None) -> None:
    if word is not None and word not in WELL:
        never = " or ".join(UNWELL)
        raise Refused(field, f"must be one of: {', '.join(WELL)}; a board that is {never} is not given out")


def _refuse_impossible(book: Book, lease: Row) -> None:
    able = kinds(book.farm)
    if lease["kind"] not in able:
        raise Refused("kind", f"no sentry offers {lease['kind']}; allowed: {', '.join(able) or 'none yet'}")
    there, wanted = firmwares(book.farm), lease["selector"].get("firmware")
    if wanted is not None and not is_firmware(wanted, there):
        raise Refused("selector.firmware", f"no sentry has {wanted}; allowed: {', '.join(there)[:300] or 'none yet'}")
    strangers = [serial for serial in lease["serials"] if serial not in book.boards]
    if strangers:
        raise Refused("serials", f"no sentry has a board {', '.join(strangers)[:200]}")
    fitting = _suiting(book, lease)
    if len(fitting) < lease["count"]:
        field = "serials" if lease["serials"] else "count"
        raise Refused(field, f"the farm has {len(fitting)} boards that suit the wish, not {lease['count']}")


def refuse_impossible_gang(book: Book, gang: list[Row]) -> None:
    wanted = sum(row["count"] for row in gang)
    if len(gang) > MOST_GANG or wanted > MOST_GANG_BOARDS:
        raise Refused("together", f"must be at most {MOST_GANG - 1} more, {MOST_GANG_BOARDS} boards in all")
    found = matched(map(whatever_health, gang), book.boards.values())
    if not is_complete(gang, found):
        raise Refused("together", f"of the {wanted} boards the farm has {sum(map(len, found.values()))} that suit")


def _suiting(book: Book, lease: Row) -> list[Board]:
    """Boards that the wish could get one day."""
    wish = whatever_health(lease)
    return [board for board in book.boards.values() if suits(board, wish)]


def why_not_now(book: Book, lease: Row) -> str:
    held = book.held()
    mine = _suiting(book, lease)
    free = sum(board.ready and board.serial not in held and suits(board, lease) for board in mine)
    unwell = sum(not board.well for board in mine)
    unlike = sum(board.well and not suits(board, lease) for board in mine)
    others = sum(row["state"] == "waiting" for row in book.leases.values()) - 1
    problem = f"{free} of the {len(mine)} boards that suit are free, {lease['count']} are wanted"
    problem += f"; {unwell} are out of order" if unwell else ""
    problem += f"; {unlike} are not {lease['selector']['health']}" if unlike else ""
    return problem + (f"; {others} wishes wait" if others else "")
