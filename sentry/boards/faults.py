"""What goes wrong with boards."""


class BoardFailed(Exception):
    """A board does not do what it should: it is broken until it is healed. The text is for people and clients."""


class NoAnswer(BoardFailed):
    """Nothing that was waited for came in time."""


class Refused(Exception):
    """A command or a lease that cannot be obeyed: a word for programs, and the text."""

    def __init__(self, code: str, problem: str) -> None:
        super().__init__(problem)
        self.code, self.problem = code, problem
