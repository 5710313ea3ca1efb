"""Commands that only ask, and are asked again and again. Their ids tell: nobody keeps or lists them for long, and a
receiver need not remember which it has answered, since an answer more does no harm."""

QUESTION = "q-"


def is_question(command_id: str) -> bool:
    """Whether the command of that id changes nothing."""
    return command_id.startswith(QUESTION)
