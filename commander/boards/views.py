"""What is shown of boards and leases. Times are ms since 1970. From memory; history is a SELECT."""

from typing import Any

from commander.boards import queue
from commander.boards.pool import Board, boards, suits
from commander.effects import Farm, Row

HIDDEN = ("boards", "had", "warned")


def board_list(farm: Farm, now: int) -> list[Row]:
    """Each board that is plugged in, with the lease that has it, by serial."""
    held = _held(farm)
    return [_board(board, held.get(serial)) for serial, board in sorted(boards(farm, now).items())]


def available(farm: Farm, selector: Row, kind: str | None, now: int) -> list[str]:
    """Serials that somebody who asks now would get: free, and not kept for those who wait."""
    leases = _open(farm)
    known = boards(farm, now)
    waiting = [row for row in leases if row["state"] == "waiting"]
    _, free = queue.serve(waiting, known, _held(farm), queue.charged(farm, leases, now))
    wish: Row = {"serials": [], "selector": selector}
    return sorted(
        s for s, b in free.items() if any(suits(b, {**wish, "kind": k}) for k in ([kind] if kind else b.kinds))
    )


def lease_list(farm: Farm, now: int) -> list[Row]:
    """All leases that are not forgotten: the waiting ones in the order of the queue, then the active, then the ended,
    newest first."""
    known, places = boards(farm, now), _places(farm, now)
    rows = list(farm["board_lease"].values())
    order = ("waiting", "active", "ended")
    rows.sort(key=lambda row: (order.index(row["state"]), places.get(row["id"], (0, 0))[0], -row["created"], row["id"]))
    return [_lease(row, known, places) for row in rows]


def one_lease(farm: Farm, row: Row, now: int) -> Row:
    """A lease with its boards, and its place in the queue while it waits."""
    return _lease(row, boards(farm, now), _places(farm, now) if row["state"] == "waiting" else {})


def _open(farm: Farm) -> list[Row]:
    return [row for row in list(farm["board_lease"].values()) if row["state"] != "ended"]


def _held(farm: Farm) -> dict[str, Row]:
    return {serial: row for row in _open(farm) if row["state"] == "active" for serial in row["boards"]}


def _places(farm: Farm, now: int) -> dict[str, tuple[int, int | None]]:
    leases = _open(farm)
    waiting = [row for row in leases if row["state"] == "waiting"]
    if not waiting:
        return {}
    until = {serial: row["until"] for serial, row in _held(farm).items()}
    return queue.forecast(waiting, boards(farm, now), until, queue.charged(farm, leases, now), now)


def _board(board: Board, lease: Row | None) -> Row:
    shown: Row = board._asdict() | {name: list(getattr(board, name)) for name in ("tags", "kinds", "firmwares")}
    return {
        **shown,
        "free": board.ready and lease is None,
        "lease": lease["id"] if lease else None,
        "kind": lease["kind"] if lease else None,
        "user": lease["user"] if lease else None,
        "until": lease["until"] if lease else None,
    }


def _lease(row: Row, known: dict[str, Board], places: dict[str, tuple[int, Any]]) -> Row:
    place, expected = places.get(row["id"], (None, None))
    given: list[Row] = []
    for serial, node in sorted(row["boards"].items()):
        board = known.get(serial)
        about = {"state": board.state, "presence": board.presence} if board else {"state": None, "presence": None}
        given.append({"serial": serial, "node": node, **about})
    shown = {name: value for name, value in row.items() if name not in HIDDEN}
    return {**shown, "boards": given, "position": place, "eta": expected}
