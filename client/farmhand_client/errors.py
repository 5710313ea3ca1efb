"""What goes wrong."""


class FarmError(RuntimeError):
    """The farm refused: ``field`` is what was wrong with the request, ``problem`` says what is allowed, ``status`` is
    the HTTP status (0: there was no answer)."""

    def __init__(self, field: str, problem: str, status: int = 0) -> None:
        super().__init__(f"{field}: {problem}" if field else problem)
        self.field, self.problem, self.status = field, problem, status


class NoAnswer(FarmError):
    """No commander answers at the URL, for longer than the client waits for one that is being restarted."""
