"""Boards that count one bitstream several times. It runs in the sentry: install it there, then restart the sentry."""

from collections.abc import Mapping

from sentry.boards.blobs import Blob
from sentry.boards.board import Board
from sentry.boards.core import State, register, reservable

ANSWER_S = 120  # a virtual board simulates a bitstream that is new to it


@reservable("stability", "times")
class Stability(State):
    firmware = "pulse_count"  # FARMHAND_BOARD_PULSE_COUNT of the sentry names the file

    def __init__(self, board: Board, times: int = 3) -> None:
        super().__init__(board)
        self.times = times

    async def enter(self) -> None:
        self.tty = self.board.open()

    async def leave(self) -> None:
        self.tty.close()

    @register("measure", "files")
    async def measure(self, files: Mapping[str, Blob]) -> int:
        """The highest count less the lowest; each is told as it comes."""
        counts: list[int] = []
        for _ in range(self.times):
            await self.tty.write(files["bitstream"].read())
            line = await self.tty.line_with(lambda line: line.startswith("pulses: "), ANSWER_S)
            counts.append(int(line.removeprefix("pulses: ").partition(",")[0]))
            self.tell("measured", number=len(counts), pulses=counts[-1])
        return max(counts) - min(counts)
