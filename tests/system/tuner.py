"""A state of boards that is somebody else's package: what the sentry finds when it is installed beside it."""

from pathlib import Path

TUNER = """
from sentry.boards.core import State, register, reservable


@reservable("tuner", "times")
class Tuner(State):
    firmware = "pulse_count"

    def __init__(self, board, times=1):
        super().__init__(board)
        self.times = times

    async def enter(self):
        self.tty = self.board.open()

    async def leave(self):
        self.tty.close()

    @register("play", "key", "files")
    async def play(self, key, files):
        heard = []
        for _ in range(self.times):
            await self.tty.write(files["score"].read())
            line = await self.tty.line_with(lambda line: line.startswith("pulses"), 30)
            heard.append(line.partition(",")[0])
        self.tell("played", key=key, heard=heard)
        return len(heard)

    @register("greet", "name")
    def greet(self, whom):
        self.tell("results", data=f"hello, {whom}!")
"""


def install(folder: Path) -> None:
    """Into a folder that is on the sentry's PYTHONPATH."""
    (folder / "tuner.py").write_text(TUNER)
    about = folder / "tuner-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: tuner\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[farmhand.board_states]\ntuner = tuner\n")
