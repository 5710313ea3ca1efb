"""Who waits for boards that somebody else has more of. Pure: leases are rows of `board_lease`.

A share is the boards that suit a wish, or one of a gang, divided by the users who have some of them or wait for some.
Whoever has more is asked to give back what the next wish or gang lacks, if that completes it; the last board of a lease
is never asked for. Those of whom nothing can be asked keep what is free of theirs, as queue.py has it, and so they
would keep what is given back.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from commander.boards.gangs import gangs, is_complete, is_possible, lacking, matched
from commander.boards.pool import Board, suits
from commander.boards.queue import rank
from commander.effects import Row

Boards = Mapping[str, Board]


def asked_back(
    waiting: list[Row], active: list[Row], boards: Boards, charge: Mapping[str, int]
) -> dict[str, tuple[int, list[str]]]:
    """lease -> (how many boards it shall give back, of which)."""
    well = {serial: board for serial, board in boards.items() if board.well}
    held = {serial for row in active for serial in row["boards"]}
    free = {serial: board for serial, board in well.items() if serial not in held}
    ahead: dict[str, Row] = {}  # by sort: most wishes are alike
    for gang in sorted(gangs(waiting).values(), key=lambda gang: rank(gang[0], charge)):
        if all(_sort(wish) in ahead for wish in gang):
            continue  # they keep what there is of it
        mine = matched(gang, free.values())
        if is_complete(gang, mine):
            return {}  # they are on the way
        if not is_possible(gang, well.values()):
            continue  # no lease that ends can complete it
        spare = {serial: well[serial] for serial in held & well.keys()}
        spare = {serial: board for serial, board in spare.items() if not _suits_any(board, ahead.values())}
        if asked := _asked(gang, free, spare, waiting, active, well):
            return asked
        ahead |= {_sort(wish): wish for wish in lacking(gang, mine)}
        for board in (board for some in mine.values() for board in some):
            del free[board.serial]
    return {}


def is_wanted(lease: Row, waiting: Iterable[Row], active: list[Row], boards: Boards) -> bool:
    """Whether somebody who has fewer boards of that sort waits for one of the lease's."""
    for wish in waiting:
        if wish["user"] == lease["user"]:
            continue
        fitting = {serial for serial, board in boards.items() if board.well and suits(board, wish)}
        has = _holdings(active, fitting)
        if fitting & set(lease["boards"]) and len(fitting) >= wish["count"] and has[wish["user"]] < has[lease["user"]]:
            return True
    return False


def _asked(
    gang: list[Row], free: Boards, spare: Boards, waiting: list[Row], active: list[Row], well: Boards
) -> dict[str, tuple[int, list[str]]]:
    """Of these boards, one after the other of whoever has most; nothing unless it is enough."""
    able = {row["id"]: [serial for serial in sorted(row["boards"]) if serial in spare] for row in active}
    able = {lease: mine for lease, mine in able.items() if any(_suits_any(well[serial], gang) for serial in mine)}
    if not able:
        return {}
    fitting = {serial for serial, board in well.items() if _suits_any(board, gang)}
    has = _holdings(active, fitting)
    share = max(1, len(fitting) // len({gang[0]["user"], *has, *_users_who_wait(waiting, fitting, well)}))
    if sum(wish["count"] for wish in gang) > share - has[gang[0]["user"]]:
        return {}  # a lease has to end first
    users = {row["id"]: row["user"] for row in active}
    left = {row["id"]: len(row["boards"]) - 1 for row in active}
    coming = dict(free)
    asked: dict[str, list[str]] = {}
    while not is_complete(gang, mine := matched(gang, coming.values())):
        short = lacking(gang, mine)
        some = {
            lease: [s for s in serials if s not in coming and _suits_any(well[s], short)]
            for lease, serials in able.items()
        }
        giving = [lease for lease in able if some[lease] and left[lease] > 0 and has[users[lease]] > share]
        if not giving:
            return {}
        most = max(giving, key=lambda lease: (has[users[lease]], min(left[lease], len(some[lease])), lease))
        serial = some[most][0]
        coming[serial] = well[serial]
        asked.setdefault(most, []).append(serial)
        left[most] -= 1
        has[users[most]] -= 1
    if len(gang) > 1:  # just these complete it together
        return {lease: (len(serials), serials) for lease, serials in asked.items()}
    return {
        lease: (len(serials), [serial for serial in able[lease] if suits(well[serial], gang[0])])
        for lease, serials in asked.items()
    }


def _suits_any(board: Board, wishes: Iterable[Row]) -> bool:
    return any(suits(board, wish) for wish in wishes)


def _sort(wish: Row) -> str:
    return repr((wish["kind"], wish["serials"], wish["selector"]))


def _holdings(active: Iterable[Row], fitting: set[str]) -> Counter[str]:
    has: Counter[str] = Counter()
    for row in active:
        has[row["user"]] += len(fitting & set(row["boards"]))
    return +has


def _users_who_wait(waiting: Iterable[Row], fitting: set[str], boards: Boards) -> set[str]:
    alike: dict[str, bool] = {}  # most wishes are
    users: set[str] = set()
    for row in waiting:
        if (sort := _sort(row)) not in alike:
            alike[sort] = any(suits(boards[serial], row) for serial in fitting)
        if alike[sort]:
            users.add(row["user"])
    return users
