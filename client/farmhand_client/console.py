"""What a board said, and what was said to it."""

from typing import Literal, NamedTuple

from farmhand_client.api import Api


class ConsoleLine(NamedTuple):
    """``n``: rises by one; ``ts``: ms since 1970; ``source``: a note says what happened to the board."""

    n: int
    ts: int
    source: Literal["board", "sentry", "note"]
    text: str


async def console(api: Api, serial: str, after: int) -> list[ConsoleLine]:
    """All lines behind that number, the oldest first."""
    lines: list[ConsoleLine] = []
    while True:
        seen = lines[-1].n if lines else after
        part = await api.get(f"/boards/{serial.lower()}/console", after=seen)
        lines += [ConsoleLine(row["n"], row["ts"], row["from"], row["text"]) for row in part["lines"]]
        if not part["more"]:
            return lines
