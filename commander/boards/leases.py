"""What people ask of boards, and what a second changes of their leases.

Pure: (farm, who asks, what, moment) -> (the lease as it is then, effects); Refused when it cannot be.
"""

from typing import NamedTuple

from commander.boards.book import Book, left
from commander.boards.gangs import gangs
from commander.boards.pool import Board
from commander.boards.repeated import made_before
from commander.boards.sharing import asked_back, is_wanted
from commander.boards.wishes import Asker, Limits, lease_of, parts_of, refuse_impossible_gang, why_not_now
from commander.effects import Effects, Farm, Moment, Put, Refused, Row, audit
from commander.fleet.presence import listening_since

SOON_MS = 20 * 60_000
KEPT_MS, MOST_KEPT = 24 * 3_600_000, 1_000  # of ended leases; history keeps more


class Whose(NamedTuple):
    """All leases of a user, or those of one of his programs."""

    user: str
    name: str | None = None

    def has(self, lease: Row) -> bool:
        return lease["user"] == self.user and self.name in (None, lease["name"])


def reserve(farm: Farm, asker: Asker, wish: Row, limits: Limits, moment: Moment) -> tuple[list[Row], Effects]:
    """Boards for a user, now or as soon as it is his turn: (the leases, effects). No effects: of a wish made before.

    wish: id (for the lease, or None), kind, args, count (None: as many as serials, else 1), serials, selector (type,
    tags, health, firmware, node, domain), name (of the program that asks), length_s, idle_s, priority, wait; together:
    [kind, args, count, serials, selector] of further leases that begin with it. Refused when it can never be met, and
    with wait=False when it cannot be now.
    """
    if known := made_before(farm, asker, wish, limits):
        return known, []
    book = Book(farm, moment)
    gang = [lease_of(book, asker, part, limits) for part in parts_of(wish)]
    if len(gang) > 1:
        gang = [{**row, "gang": gang[0]["id"]} for row in gang]
        refuse_impossible_gang(book, gang)
    for lease in gang:
        book.put(lease)
        book.note(lease, "asked", {name: lease[name] for name in ("kind", "count", "serials", "selector")})
        about = {"kind": lease["kind"], "count": lease["count"], "serials": lease["serials"]}
        book.add(audit(moment, "boards asked for", lease["id"], about))
    effects = book.close()
    gang = [book.leases[lease["id"]] for lease in gang]
    if not wish["wait"] and gang[0]["state"] == "waiting":
        raise Refused("wait", why_not_now(book, gang[0]), 409)
    return gang, effects


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
    mine = [name for name, row in book.leases.items() if whose.has(row)]
    for name in mine:
        if book.leases[name]["state"] != "ended":
            _ended(book, book.leases[name])
    return [book.leases[name] for name in mine], book.close()


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
        elif _is_idle(book, row):
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


def _extended(book: Book, row: Row, length_s: int | None, limits: Limits) -> Row:
    length = length_s if length_s is not None else row["length_s"]
    if not 1 <= length <= limits.max_s:
        raise Refused("length_s", f"must be from 1 to {limits.max_s}")
    now = book.moment.now
    until = max(row["until"], min(now + length * 1000, row["begun"] + limits.max_s * 1000))
    new = book.put(row, until=until, used=now, warned=row["warned"] and until == row["until"])
    if until != row["until"]:
        book.note(new, "extended", {"until": until, "by": book.moment.by})
        book.add(audit(book.moment, "lease extended", row["id"], {"until": until}))
    return new


def _ended(book: Book, row: Row) -> Row:
    """A wish that is taken back takes its gang with it."""
    gang = gangs(book.in_state("waiting"))[row["gang"] or row["id"]] if row["state"] == "waiting" else [row]
    for each in gang:
        about = {"user": each["user"], "boards": sorted(each["boards"])}
        book.add(audit(book.moment, "lease ended", each["id"], about))
        book.end(each, "ended" if each["state"] == "active" else "withdrawn")
    return book.leases[row["id"]]


def _is_idle(book: Book, row: Row) -> bool:
    """Unused for as long as it says; while its boards could not be heard, nobody knows."""
    if row["idle_s"] is None:
        return False
    domains = {board.domain for serial, board in book.boards.items() if serial in row["boards"]}
    heard = [listening_since(book.farm, domain) for domain in domains]
    since = max(row["used"], *(book.moment.now if ms is None else ms for ms in heard), 0)
    return book.moment.now - since >= row["idle_s"] * 1000


def _watch(book: Book, row: Row) -> None:
    """What its user shall know: that it ends soon, which board fails, which is well again."""
    seen = {serial: book.boards.get(serial) for serial in row["boards"]}
    changes: Row = {}
    # Somebody may have plugged it into another host.
    places = {serial: board.node if board else row["boards"][serial] for serial, board in seen.items()}
    failing = {serial: _trouble(board) for serial, board in seen.items() if _trouble(board)}
    if places != row["boards"]:
        changes["boards"] = places
        moved = [serial for serial, node in places.items() if node != row["boards"][serial]]
        changes["had"] = left(row, moved)
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
