"""The default firmware must say that it runs."""

from sentry.boards.core import State


class Test(State):
    shown = "testing"

    async def enter(self) -> State:
        tty = self.board.open()
        try:
            await tty.line_with(lambda line: "default firmware" in line, self.board.settings.test_s)
        finally:
            tty.close()
        return self.board.settled()
