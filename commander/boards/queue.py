"""Who gets which boards, and when. Pure: leases are rows of `board_lease`, times ms since 1970.

Wishes are served by priority, and then by when they were made, put back by what their user had lately: an hour of one
board is an hour. So who had little goes first, and yet nobody waits for ever. All boards of a wish, and all
wishes of a gang, are given at once; what is not complete keeps what is free of it from those behind it, as long as it
can be completed at all.
"""

import heapq
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping

from commander.boards.gangs import gangs, is_complete, is_possible, matched
from commander.boards.pool import Board, suits
from commander.effects import Farm, Row

HALF_LIFE_MS = 6 * 3_600_000
MOST_FORECAST = 100  # wishes

Rank = tuple[int, int, int, str]


def had(usage: Row | None, now: int) -> int:
    """Board-ms that a row of `board_usage` is worth now: half after each half-life."""
    return int(usage["board_ms"] * 0.5 ** (max(0, now - usage["ts"]) / HALF_LIFE_MS)) if usage else 0


def charged(farm: Farm, leases: Iterable[Row], now: int) -> dict[str, int]:
    """user -> board-ms: what those who wait had lately, and all of what they have booked."""
    rows = list(leases)
    users = {row["user"] for row in rows if row["state"] == "waiting"}
    found = {user: had(farm["board_usage"].get(user), now) for user in users}
    for row in rows:
        if row["state"] == "active" and row["user"] in found:
            found[row["user"]] += len(row["boards"]) * (row["until"] - row["begun"])
    return found


def rank(wish: Row, charge: Mapping[str, int]) -> Rank:
    """The lower, the sooner."""
    return -wish["priority"], wish["created"] + charge.get(wish["user"], 0), wish["created"], wish["id"]


def serve(
    waiting: Iterable[Row], boards: Mapping[str, Board], held: Iterable[str], charge: Mapping[str, int]
) -> tuple[dict[str, list[Board]], dict[str, Board]]:
    """(id of a wish -> the boards it gets, what is left for whoever comes next).

    held: serials that leases have; charge: of charged().
    """
    taken = set(held)
    free = {serial: board for serial, board in boards.items() if board.ready and serial not in taken}
    given: dict[str, list[Board]] = {}
    counts = dict(charge)
    for gang in _in_turn(waiting, counts):
        if not free:
            break
        mine = matched(gang, free.values())
        if is_complete(gang, mine):
            given |= mine
            _book(gang, counts)
        elif not is_possible(gang, (board for board in boards.values() if board.well)):
            continue  # no lease that ends can complete it: nobody shall wait for that
        for board in (board for some in mine.values() for board in some):
            del free[board.serial]
    return given, free


def forecast(
    waiting: Iterable[Row], boards: Mapping[str, Board], until: Mapping[str, int], charge: Mapping[str, int], now: int
) -> dict[str, tuple[int, int | None]]:
    """id of a wish -> (its place in the queue from 1, when it can expect its boards, or None when nobody knows).

    until: serial -> when the lease that has it ends. Wishes that are yet to come may go before.
    """
    at = {serial: until.get(serial, now) for serial, board in boards.items() if board.well}
    counts = dict(charge)
    found: dict[str, tuple[int, int | None]] = {}
    alike: dict[str, list[str]] = {}  # most wishes are
    for place, gang in enumerate(_in_turn(waiting, counts), 1):
        eta = _expected(gang, boards, at, alike) if place <= MOST_FORECAST else None
        found |= {wish["id"]: (place, eta) for wish in gang}
        if eta is not None:
            _book(gang, counts)
    return found


def _in_turn(waiting: Iterable[Row], counts: Mapping[str, int]) -> Iterator[list[Row]]:
    """Gang after gang; whoever is served (`_book`) meanwhile has his next ones put back."""
    line = [(rank(gang[0], counts), name, gang) for name, gang in gangs(waiting).items()]
    heapq.heapify(line)
    while line:
        was, name, gang = heapq.heappop(line)
        if was == (now := rank(gang[0], counts)):
            yield gang
        else:
            heapq.heappush(line, (now, name, gang))


def _book(gang: list[Row], counts: dict[str, int]) -> None:
    for wish in gang:
        counts[wish["user"]] = counts.get(wish["user"], 0) + wish["count"] * wish["length_s"] * 1000


def _expected(
    gang: list[Row], boards: Mapping[str, Board], at: dict[str, int], alike: dict[str, list[str]]
) -> int | None:
    """When enough boards for it are free; it has them from then on in `at` (serial -> when it is free)."""
    wanted = sum(wish["count"] for wish in gang)
    near: set[str] = set()
    for wish in gang:
        sort = repr((wish["kind"], wish["serials"], wish["selector"]))
        if sort not in alike:
            alike[sort] = [serial for serial in at if suits(boards[serial], wish)]
        near.update(heapq.nsmallest(wanted, alike[sort], lambda serial: (at[serial], serial)))
    first = sorted(near, key=lambda serial: (at[serial], serial))
    sizes = range(wanted, len(first) + 1)
    enough = bisect_left(sizes, True, key=lambda size: is_possible(gang, [boards[serial] for serial in first[:size]]))
    if enough == len(sizes):
        return None
    eta = at[first[sizes[enough] - 1]]
    lengths = {wish["id"]: wish["length_s"] * 1000 for wish in gang}
    for name, mine in matched(gang, [boards[serial] for serial in first[: sizes[enough]]]).items():
        at |= {board.serial: eta + lengths[name] for board in mine}
    return eta
