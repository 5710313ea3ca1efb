"""A board that failed is flashed anew; from its second failure in a row on without power for a moment before."""

import asyncio
from typing import TYPE_CHECKING

from sentry.boards.core import State
from sentry.boards.faults import BoardFailed
from sentry.boards.states.flash import Flash

if TYPE_CHECKING:
    from sentry.boards.board import Board


class Broken(State):
    shown = "broken"

    def __init__(self, board: "Board") -> None:
        super().__init__(board)
        self.may_vanish = False

    async def enter(self) -> State:
        settings = self.board.settings
        await asyncio.sleep(min(settings.heal_s * 2 ** (self.board.health.failures - 1), settings.quarantine_s))
        if self.board.health.failures > 1 and self.board.device and self.board.hub.port_of(self.board.device.port):
            self.may_vanish = True
            try:
                await self.board.hub.cycle(self.board.device.port)
            except (BoardFailed, OSError) as error:
                self.board.voice.problem(self.board.serial, str(error))
        return Flash(self.board)
