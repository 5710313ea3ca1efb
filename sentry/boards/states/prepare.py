"""Gives a board the firmware of a state that somebody reserved, or that is started anew."""

from typing import TYPE_CHECKING

from sentry.boards.core import State
from sentry.boards.work import settled

if TYPE_CHECKING:
    from sentry.boards.board import Board


class Prepare(State):
    shown = "preparing"
    may_vanish = True

    def __init__(self, board: "Board", then: State) -> None:
        super().__init__(board)
        self.then = then

    async def enter(self) -> State:
        await self.board.flash(self.then.firmware)
        return self.then

    async def lost(self, problem: str) -> None:
        await settled(self.then.lost(problem))

    async def reboot(self) -> None:
        """It is under way."""
