"""Commands to a board, and what they are answered. Pure."""

from typing import Any, cast

from commander.boards.pool import Board, boards
from commander.boards.wishes import Asker
from commander.effects import Effects, Farm, Moment, Refused, Row
from commander.fleet.orders import command, question
from schema.boards import CONSOLE, CONSOLE_FROM, CONSOLE_PART, CONSOLE_TEXT, DEEDS

COMMAND_S = 30


def order(farm: Farm, asker: Asker, serial: str, do: str, moment: Moment) -> tuple[Row, Effects]:
    """Tell the sentry of a board to do something (DEEDS) with it: (row of the command, effects). A board that somebody
    has may be told by him and by admins.
    """
    board = _board(farm, serial, moment)
    if do not in DEEDS:
        raise Refused("do", f"must be one of: {', '.join(DEEDS)}")
    _refuse_strangers(farm, asker, serial)
    return command(farm, board.node, "board", {"serial": serial, "do": do}, COMMAND_S, moment)


def look(farm: Farm, asker: Asker, serial: str, after: int, moment: Moment) -> tuple[Row, Effects]:
    """Ask the sentry for the lines of a board's console behind that number: (row of the command, effects). Who may give
    orders may look.
    """
    board = _board(farm, serial, moment)
    _refuse_strangers(farm, asker, serial)
    if board.presence not in ("ready", "unheard"):
        raise Refused("serial", f"its sentry {board.node} is {board.presence}", 409)
    return question(farm, board.node, "board", {"serial": serial, "do": CONSOLE, "after": after}, COMMAND_S, moment)


def seen(result: Any) -> Row:
    """The lines that a sentry answers, as schema/boards.py has them; a stranger's JSON: what is no line is left out."""
    told: Row = cast(Row, result) if isinstance(result, dict) else {}
    lines = told.get("lines")
    found = [_line(each) for each in cast("list[Any]", lines)[:CONSOLE_PART]] if isinstance(lines, list) else []
    return {"lines": [each for each in found if each], "more": told.get("more") is True}


def _line(told: Any) -> Row | None:
    line: Row = cast(Row, told) if isinstance(told, dict) else {}
    number, ts, source, text = (line.get(name) for name in ("n", "ts", "from", "text"))
    if not all(type(each) is int and 0 <= each < 2**53 for each in (number, ts)) or source not in CONSOLE_FROM:
        return None
    if not isinstance(text, str) or not text.isprintable():
        return None
    return {"n": number, "ts": ts, "from": source, "text": text[:CONSOLE_TEXT]}


def _board(farm: Farm, serial: str, moment: Moment) -> Board:
    board = boards(farm, moment.now).get(serial)
    if board is None:
        raise Refused("serial", f"no sentry has a board {serial[:64]}", 404)
    return board


def _refuse_strangers(farm: Farm, asker: Asker, serial: str) -> None:
    for lease in farm["board_lease"].values():
        if lease["state"] == "active" and serial in lease["boards"] and asker.user != lease["user"] and not asker.admin:
            raise Refused("serial", f"{serial} is of {lease['user']}: this needs the role admin", 403)
