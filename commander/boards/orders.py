"""Commands to a board. Pure."""

from commander.boards.pool import boards
from commander.boards.wishes import Asker
from commander.effects import Effects, Farm, Moment, Refused, Row
from commander.fleet.orders import command
from schema.boards import DEEDS

COMMAND_S = 30


def order(farm: Farm, asker: Asker, serial: str, do: str, moment: Moment) -> tuple[Row, Effects]:
    """Tell the sentry of a board to do something (DEEDS) with it: (row of the command, effects). A board that somebody
    has may be told by him and by admins.
    """
    board = boards(farm, moment.now).get(serial)
    if board is None:
        raise Refused("serial", f"no sentry has a board {serial[:64]}", 404)
    if do not in DEEDS:
        raise Refused("do", f"must be one of: {', '.join(DEEDS)}")
    for lease in farm["board_lease"].values():
        if lease["state"] == "active" and serial in lease["boards"] and asker.user != lease["user"] and not asker.admin:
            raise Refused("serial", f"{serial} is of {lease['user']}: this needs the role admin", 403)
    return command(farm, board.node, "board", {"serial": serial, "do": do}, COMMAND_S, moment)
