"""What goes wrong with boards."""

from collections.abc import Generator
from contextlib import contextmanager

MOST_TOLD = 512


class BoardFailed(Exception):
    """A board does not do what it should: it is broken until it is healed. The text is for people and clients."""


class NoAnswer(BoardFailed):
    """Nothing that was waited for came in time."""


class Refused(Exception):
    """A command or a lease that cannot be obeyed: a word for programs, and the text."""

    def __init__(self, code: str, problem: str) -> None:
        super().__init__(problem)
        self.code, self.problem = code, problem


@contextmanager
def of_anybody() -> Generator[None]:
    """A state is anybody's: what would end the program, and all boards with it, is a fault of that state."""
    try:
        yield
    except (SystemExit, KeyboardInterrupt) as error:
        raise RuntimeError(repr(error)) from None


def tellable(problem: object) -> str:
    """As a message can hold it."""
    return str(problem).encode(errors="replace").decode().replace("\0", "?")[:MOST_TOLD]
