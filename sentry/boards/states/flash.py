"""Gives a board the default firmware, whatever is on it."""

from sentry.boards.core import State
from sentry.boards.states.test import Test


class Flash(State):
    shown = "flashing"
    may_vanish = True  # it is another device while its bootloader runs

    async def enter(self) -> State:
        await self.board.flash("default")
        return Test(self.board)
