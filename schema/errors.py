"""The one error of a message; a file of its own because a board keeps it in its heap, and the
checks only while it needs them."""


class Invalid(ValueError):
    """A message that is refused: `field` names the place, `problem` says what is wrong and what is
    allowed."""

    def __init__(self, field, problem):
        super().__init__("%s: %s" % (field, problem))
        self.field = field
        self.problem = problem
