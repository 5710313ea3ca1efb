"""Who waits for boards that somebody else has more of. Pure: leases are rows of `board_lease`.

A share is the boards that suit a wish, divided by the users who have some of them or wait for some. Whoever has more is
asked to give back what the next wish lacks, if that completes it; the last board of a lease is never asked for.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from commander.boards.pool import Board, suits
from commander.boards.queue import rank
from commander.effects import Row

Boards = Mapping[str, Board]


def asked_back(
    waiting: list[Row], active: list[Row], boards: Boards, charge: Mapping[str, int]
) -> dict[str, tuple[int, list[str]]]:
    """lease -> (how many boards it shall give back, of which)."""
    sorts: dict[str, tuple[set[str], Counter[str], int]] = {}  # most wishes are alike
    for wish in sorted(waiting, key=lambda row: rank(row, charge)):
        sort = repr((wish["kind"], wish["serials"], wish["selector"]))
        if sort not in sorts:
            fitting = _fitting(wish, boards)
            has = _holdings(active, fitting)
            users = {wish["user"], *has, *_users_who_wait(waiting, fitting, boards)}
            sorts[sort] = fitting, has, max(1, len(fitting) // len(users))
        fitting, has, share = sorts[sort]
        missing = wish["count"] - (len(fitting) - has.total())
        if wish["gang"] or len(fitting) < wish["count"] or wish["count"] > share - has[wish["user"]]:
            continue  # a lease has to end first
        if missing <= 0:
            return {}  # they are on the way
        of = {row["id"]: [serial for serial in sorted(row["boards"]) if serial in fitting] for row in active}
        if asked := _taken(active, of, +has, share, missing):
            return {lease: (count, of[lease]) for lease, count in asked.items()}
    return {}


def is_wanted(lease: Row, waiting: Iterable[Row], active: list[Row], boards: Boards) -> bool:
    """Whether somebody who has fewer boards of that sort waits for one of the lease's."""
    for wish in waiting:
        if wish["user"] == lease["user"]:
            continue
        fitting = _fitting(wish, boards)
        has = _holdings(active, fitting)
        if fitting & set(lease["boards"]) and len(fitting) >= wish["count"] and has[wish["user"]] < has[lease["user"]]:
            return True
    return False


def _fitting(wish: Row, boards: Boards) -> set[str]:
    return {serial for serial, board in boards.items() if board.well and suits(board, wish)}


def _holdings(active: Iterable[Row], fitting: set[str]) -> Counter[str]:
    has: Counter[str] = Counter()
    for row in active:
        has[row["user"]] += len(fitting & set(row["boards"]))
    return +has


def _users_who_wait(waiting: Iterable[Row], fitting: set[str], boards: Boards) -> set[str]:
    alike: dict[str, bool] = {}  # most wishes are
    users: set[str] = set()
    for row in waiting:
        sort = repr((row["kind"], row["serials"], row["selector"]))
        if sort not in alike:
            alike[sort] = any(suits(boards[serial], row) for serial in fitting)
        if alike[sort]:
            users.add(row["user"])
    return users


def _taken(
    active: Iterable[Row], of: Mapping[str, list[str]], has: Counter[str], share: int, missing: int
) -> dict[str, int]:
    """lease -> how many, one after the other of whoever has most; nothing unless it is enough."""
    left = {row["id"]: min(len(row["boards"]) - 1, len(of[row["id"]])) for row in active}
    users = {row["id"]: row["user"] for row in active}
    taken: Counter[str] = Counter()
    for _ in range(missing):
        able = [lease for lease in left if left[lease] > 0 and has[users[lease]] > share]
        if not able:
            return {}
        most = max(able, key=lambda lease: (has[users[lease]], left[lease], lease))
        taken[most] += 1
        left[most] -= 1
        has[users[most]] -= 1
    return dict(taken)
