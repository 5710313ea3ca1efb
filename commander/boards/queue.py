"""Who gets which boards, and when. Pure: leases are rows of `board_lease`, times ms since 1970.

Wishes are served by priority, and then by when they were made, put back by what their user had lately: an hour of one
board is an hour. So who had little goes first, and yet nobody waits for ever. All boards of a wish are given at once; a
wish that is not complete keeps what is free of it from those behind it, as long as it can be completed at all.
"""

import heapq
from collections.abc import Iterable, Mapping

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
    line = [(rank(wish, counts), wish["id"], wish) for wish in waiting]
    heapq.heapify(line)
    while line and free:
        was, name, wish = heapq.heappop(line)
        if was != rank(wish, counts):  # another wish of this user has been served meanwhile
            heapq.heappush(line, (rank(wish, counts), name, wish))
            continue
        # A board that can little is given before one that somebody may ask for by what it can.
        mine = sorted((b for b in free.values() if suits(b, wish)), key=lambda b: (len(b.tags), b.serial))
        if len(mine) >= wish["count"]:
            mine = mine[: wish["count"]]
            given[name] = mine
            counts[wish["user"]] = counts.get(wish["user"], 0) + len(mine) * wish["length_s"] * 1000
        elif sum(board.well and suits(board, wish) for board in boards.values()) < wish["count"]:
            continue  # no lease that ends can complete it: nobody shall wait for that
        for board in mine:
            del free[board.serial]
    return given, free


def forecast(
    waiting: Iterable[Row], boards: Mapping[str, Board], until: Mapping[str, int], charge: Mapping[str, int], now: int
) -> dict[str, tuple[int, int | None]]:
    """id of a wish -> (its place in the queue from 1, when it can expect its boards, or None when nobody knows).

    until: serial -> when the lease that has it ends. Wishes that are yet to come may go before.
    """
    line = sorted(waiting, key=lambda wish: rank(wish, charge))
    at = {serial: until.get(serial, now) for serial, board in boards.items() if board.well}
    found: dict[str, tuple[int, int | None]] = {}
    alike: dict[str, list[str]] = {}  # most wishes are
    for place, wish in enumerate(line[:MOST_FORECAST], 1):
        sort = repr((wish["kind"], wish["serials"], wish["selector"]))
        if sort not in alike:
            alike[sort] = [serial for serial in at if suits(boards[serial], wish)]
        times = sorted((at[serial], serial) for serial in alike[sort])
        mine = times[: wish["count"]]
        if len(mine) < wish["count"]:
            found[wish["id"]] = (place, None)
            continue
        found[wish["id"]] = (place, mine[-1][0])
        at |= {serial: mine[-1][0] + wish["length_s"] * 1000 for _, serial in mine}
    return found | {wish["id"]: (place, None) for place, wish in enumerate(line, 1) if place > MOST_FORECAST}
