"""What people ask of boards, and what a second changes of their leases.

Pure: (farm, who asks, what, moment) -> (the lease as it is then, effects); Refused when it cannot be.
"""

from typing import NamedTuple

from commander.boards.book import Book
from commander.boards.pool import Board, kinds, suits
from commander.boards.sharing import asked_back, is_wanted
from commander.effects import Effects, Farm, Moment, Put, Refused, Row, audit, refuse_unless
from commander.fleet.enrolment import check_size
from schema import wire
from schema.message import is_id, is_json

LENGTH_S = 3_600
SOON_MS = 20 * 60_000
ARGS_BYTES = 512  # as JSON within JSON: a document holds those of all boards of a sentry
MOST_COUNT = 1_000
MOST_WAITING = 100  # wishes of one user
MOST_PRIORITY = 100
KEPT_MS, MOST_KEPT = 24 * 3_600_000, 1_000  # of ended leases; history keeps more


class Asker(NamedTuple):
    """Whose leases are meant, and whether others' may be touched too."""

    user: str
    admin: bool = False


class Whose(NamedTuple):
    """All leases of a user, or those of one of his programs."""

    user: str
    name: str | None = None

    def has(self, lease: Row) -> bool:
        return lease["user"] == self.user and self.name in (None, lease["name"])


class Limits(NamedTuple):
    """Of the settings: how long a lease may last in all, and without use (None: for ever) unless its wish says."""

    max_s: int = 86_400
    idle_s: int | None = None


def reserve(farm: Farm, asker: Asker, wish: Row, limits: Limits, moment: Moment) -> tuple[Row, Effects]:
    """Boards for a user, now or as soon as it is his turn: (the lease, effects).

    wish: kind, args, count (None: as many as serials, else 1), serials, selector (type, tags, firmware, node, domain),
    name (of the program that asks), length_s, idle_s, priority, wait. Refused when it can never be met, and with
    wait=False when it cannot be now.
    """
    book = Book(farm, moment)
    lease = _lease(book, asker, wish, limits)
    book.put(lease)
    book.note(lease, "asked", {name: lease[name] for name in ("kind", "count", "serials", "selector")})
    about = {"kind": lease["kind"], "count": lease["count"], "serials": lease["serials"]}
    book.add(audit(moment, "boards asked for", lease["id"], about))
    effects = book.close()
    lease = book.leases[lease["id"]]
    if not wish["wait"] and lease["state"] == "waiting":
        raise Refused("wait", _why_not_now(book, lease), 409)
    return lease, effects


def extend(
    farm: Farm,
    asker: Asker,
    lease: str,
    length_s: int | None,
    limits: Limits,
    moment: Moment,
    unless_wanted: bool = False,
) -> tuple[Row, Effects]:
    """Have a lease last its length (or length_s) from now; never shorter than it would, nor longer than allowed.
    unless_wanted: Refused when somebody with fewer boards waits for one of them."""
    row = mine(farm, asker, lease)
    if row["state"] != "active":
        raise Refused("lease", f"{lease} is {row['state']}; only an active one can be extended", 409)
    book = Book(farm, moment)
    if unless_wanted and is_wanted(row, book.in_state("waiting"), book.in_state("active"), book.boards):
        raise Refused("unless_wanted", f"others wait for boards of {lease}", 409)
    row = _extended(book, row, length_s, limits)
    return row, book.close()


def extend_all(
    farm: Farm, whose: Whose, length_s: int | None, limits: Limits, moment: Moment
) -> tuple[list[Row], Effects]:
    """The same for all active leases of somebody."""
    book = Book(farm, moment)
    rows = [_extended(book, row, length_s, limits) for row in book.in_state("active") if whose.has(row)]
    return rows, book.close()


def end(farm: Farm, asker: Asker, lease: str, serials: list[str], moment: Moment) -> tuple[Row, Effects]:
    """Give the boards back (of some only: these), or the place in the queue; one that has ended already stays as it
    is."""
    row = mine(farm, asker, lease)
    if row["state"] == "ended":
        return row, []
    given = {serial.lower() for serial in serials}
    strangers = given - set(row["boards"])
    if strangers:
        has = ", ".join(row["boards"])[:300] or "none yet"
        raise Refused("serials", f"{', '.join(sorted(strangers))[:200]} is not of {lease}; allowed: {has}")
    book = Book(farm, moment)
    if not given or given == set(row["boards"]):
        return _ended(book, row), book.close()
    book.add(audit(moment, "boards given back", lease, {"user": row["user"], "boards": sorted(given)}))
    return book.give_back(row, given), book.close()


def end_all(farm: Farm, whose: Whose, moment: Moment) -> tuple[list[Row], Effects]:
    """The same for all leases and wishes of somebody."""
    book = Book(farm, moment)
    rows = [_ended(book, row) for row in list(book.leases.values()) if whose.has(row)]
    return rows, book.close()


def touch(farm: Farm, lease: str, moment: Moment) -> Effects:
    """A lease is in use at this moment: a call, or something that its boards tell."""
    row = farm["board_lease"].get(lease)
    if row is None or row["state"] != "active" or moment.now - row["used"] < 1_000:
        return []
    return [Put("board_lease", lease, {**row, "used": moment.now})]


def tick(farm: Farm, moment: Moment) -> Effects:
    """Once a second: leases end, are about to end, lose a board or get it back; whoever waits is served."""
    book = Book(farm, moment)
    now = moment.now
    for row in book.in_state("active"):
        if now >= row["until"]:
            book.end(row, "expired")
        elif row["idle_s"] is not None and now - row["used"] >= row["idle_s"] * 1000:
            book.end(row, "idle")
        else:
            _watch(book, row)
    _ask_back(book)
    return book.close() + _forgotten(farm, now)


def mine(farm: Farm, asker: Asker, lease: str) -> Row:
    """The lease; Refused when there is none (404), or it is another's (403)."""
    row = farm["board_lease"].get(lease)
    if row is None:
        raise Refused("lease", f"there is no lease {lease[:64]}", 404)
    if row["user"] != asker.user and not asker.admin:
        raise Refused("lease", f"{lease} is of {row['user']}: this needs the role admin", 403)
    return row


def _lease(book: Book, asker: Asker, wish: Row, limits: Limits) -> Row:
    serials = [serial.lower() for serial in wish["serials"]]
    count = wish["count"] if wish["count"] is not None else len(serials) or 1
    length_s: int = wish["length_s"] if wish["length_s"] is not None else min(LENGTH_S, limits.max_s)
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
    if sum(row["user"] == asker.user for row in book.in_state("waiting")) >= MOST_WAITING:
        raise Refused("wait", f"{asker.user} has {MOST_WAITING} wishes waiting already", 409)
    lease: Row = {
        **{name: wish[name] for name in ("name", "kind", "args", "selector", "priority", "idle_s")},
        **{"id": "l-" + book.moment.dice(8).hex(), "user": asker.user, "state": "waiting", "count": count},
        **{"serials": serials, "boards": {}, "length_s": length_s, "created": book.moment.now, "begun": 0, "until": 0},
        **{"used": 0, "warned": False, "wanted": 0, "failing": {}, "ended": 0, "why": ""},
    }
    _refuse_impossible(book, lease)
    return lease


def _refuse_impossible(book: Book, lease: Row) -> None:
    able = kinds(book.farm)
    if lease["kind"] not in able:
        raise Refused("kind", f"no sentry offers {lease['kind']}; allowed: {', '.join(able) or 'none yet'}")
    strangers = [serial for serial in lease["serials"] if serial not in book.boards]
    if strangers:
        raise Refused("serials", f"no sentry has a board {', '.join(strangers)[:200]}")
    fitting = _suiting(book, lease)
    if len(fitting) < lease["count"]:
        field = "serials" if lease["serials"] else "count"
        raise Refused(field, f"the farm has {len(fitting)} boards that suit the wish, not {lease['count']}")


def _suiting(book: Book, lease: Row) -> list[Board]:
    return [board for board in book.boards.values() if suits(board, lease)]


def _why_not_now(book: Book, lease: Row) -> str:
    held = book.held()
    mine = _suiting(book, lease)
    free = sum(board.ready and board.serial not in held for board in mine)
    unwell = sum(not board.well for board in mine)
    others = sum(row["state"] == "waiting" for row in book.leases.values()) - 1
    problem = f"{free} of the {len(mine)} boards that suit are free, {lease['count']} are wanted"
    return problem + (f"; {unwell} are out of order" if unwell else "") + (f"; {others} wishes wait" if others else "")


def _extended(book: Book, row: Row, length_s: int | None, limits: Limits) -> Row:
    length = length_s if length_s is not None else row["length_s"]
    if not 1 <= length <= limits.max_s:
        raise Refused("length_s", f"must be from 1 to {limits.max_s}")
    now = book.moment.now
    until = max(row["until"], min(now + length * 1000, row["begun"] + limits.max_s * 1000))
    new = book.put(row, until=until, used=now, warned=row["warned"] and until == row["until"])
    if until != row["until"]:
        book.note(new, "extended", {"until": until})
        book.add(audit(book.moment, "lease extended", row["id"], {"until": until}))
    return new


def _ended(book: Book, row: Row) -> Row:
    book.add(audit(book.moment, "lease ended", row["id"], {"user": row["user"], "boards": sorted(row["boards"])}))
    return book.end(row, "ended" if row["state"] == "active" else "withdrawn")


def _watch(book: Book, row: Row) -> None:
    """What its user shall know: that it ends soon, which board fails, which is well again."""
    seen = {serial: book.boards.get(serial) for serial in row["boards"]}
    changes: Row = {}
    # Somebody may have plugged it into another host.
    places = {serial: board.node if board else row["boards"][serial] for serial, board in seen.items()}
    failing = {serial: _trouble(board) for serial, board in seen.items() if _trouble(board)}
    if places != row["boards"]:
        changes["boards"] = places
    if failing != row["failing"]:
        changes["failing"] = failing
    soon = min(SOON_MS, (row["until"] - row["begun"]) // 3)
    if not row["warned"] and book.moment.now >= row["until"] - soon:
        changes["warned"] = True
    if not changes:
        return
    new = book.put(row, **changes)
    if "warned" in changes:
        book.note(new, "ending-soon", {"until": row["until"]})
    for serial, problem in failing.items():
        if problem != row["failing"].get(serial):
            book.note(new, "failure", {"problem": problem}, (serial,))
    for serial in row["failing"]:
        if serial not in failing:
            book.note(new, "well-again", {}, (serial,))


def _ask_back(book: Book) -> None:
    waiting, active = book.in_state("waiting"), book.in_state("active")
    asked = asked_back(waiting, active, book.boards, book.charged()) if waiting else {}
    for row in active:
        count, serials = asked.get(row["id"], (0, []))
        if count != row["wanted"]:
            new = book.put(row, wanted=count)
            if count > row["wanted"]:
                book.note(new, "wanted", {"boards": count, "serials": serials}, tuple(serials[:1]))


def _trouble(board: Board | None) -> str:
    return board.trouble if board else "it is not plugged in"


def _forgotten(farm: Farm, now: int) -> Effects:
    ended = sorted((row["ended"], key) for key, row in farm["board_lease"].items() if row["state"] == "ended")
    return [
        Put("board_lease", key, None)
        for number, (at, key) in enumerate(ended)
        if now - at > KEPT_MS or len(ended) - number > MOST_KEPT
    ]
