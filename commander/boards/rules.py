"""What messages of board sentries and the passing of time do. Pure: (farm, address, data, moment) -> effects."""

from commander.boards import leases
from commander.boards.book import Book, is_of
from commander.boards.calls import RESULTS, results
from commander.boards.pool import boards
from commander.effects import Add, Effects, Farm, Moment, Put, Row
from commander.fleet.rules import Rule, on_evt
from commander.fleet.rules import on_reported as reported
from schema.topics import Address


def on_board(farm: Farm, at: Address, data: Row, moment: Moment) -> Effects:
    """An event of a board, of whatever state: into its history unless it is results (kept as such, and too many), and
    a sign that its lease is in use. What a sentry tells of a lease that is not of this board is only an event."""
    effects = on_evt(farm, at, data, moment)
    lease = farm["board_lease"].get(data.get("lease", ""))
    if not effects or (lease and not is_of(lease, at.device, at.node)):
        return effects
    found = results(at, data, lease["user"] if lease else "", moment)
    if not found or data["event"] != RESULTS:
        row: Row = {
            "ts": data["ts"] or moment.now,
            "serial": at.device,
            "node": at.node,
            "lease": data.get("lease", ""),
        }
        user = lease["user"] if lease else ""
        effects.append(Add("board_history", {**row, "user": user, "what": data["event"], "data": data["contents"]}))
    effects += found
    return effects + (leases.touch(farm, lease["id"], moment) if lease else [])


def on_reported(farm: Farm, at: Address, data: Row, moment: Moment) -> Effects:
    """Boards that have become free go to those who wait; of what is left, whoever wants to know is told."""
    effects = reported(farm, at, data, moment)
    new = {put.key: put.row for put in effects if isinstance(put, Put) and put.row}
    after = {**farm, "reported": {**farm["reported"], **new}}
    before = {serial for serial, board in boards(farm, moment.now).items() if board.ready}
    book = Book(after, moment)
    given = book.close()
    held = book.held()
    for serial, board in book.boards.items():
        if board.node == at.node and board.ready and serial not in before and serial not in held:
            row = {"ts": moment.now, "serial": serial, "node": at.node, "lease": "", "user": ""}
            given.append(Add("board_history", {**row, "what": "available", "data": {}}))
    return effects + given


def on_tick(farm: Farm, moment: Moment) -> Effects:
    """Once a second: see leases.tick."""
    return leases.tick(farm, moment)


RULES: dict[str, Rule] = {"evt/board": on_board, "reported/leases": on_reported}
