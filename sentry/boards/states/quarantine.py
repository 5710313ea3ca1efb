"""A board that failed too often rests, and is tested from time to time."""

import asyncio

from sentry.boards.core import State
from sentry.boards.states.flash import Flash


class Quarantine(State):
    shown = "quarantine"

    async def enter(self) -> State:
        await asyncio.sleep(self.board.settings.quarantine_s)
        return Flash(self.board)
