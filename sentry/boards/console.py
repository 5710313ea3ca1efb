"""What a board said and what it was sent: the newest lines, kept over flashing, leases and unplugging, until the sentry
ends."""

from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Any

from schema.boards import CONSOLE_LINES, CONSOLE_PART, CONSOLE_TEXT
from sentry.birth import now_ms


class Console:
    """Lines are numbered one by one from the present time on: a restarted sentry begins behind what it told before."""

    def __init__(self, now: Callable[[], int] = now_ms) -> None:
        self._now = now
        self._lines: deque[dict[str, Any]] = deque(maxlen=CONSOLE_LINES)
        self._last = now()

    def said(self, line: str) -> None:
        """By the board."""
        self._add("board", line)

    def sent(self, content: bytes, size: int) -> None:
        """To the board: ``content`` of ``size`` bytes, less when it took no more."""
        part = "" if len(content) == size else f"{len(content):,} of "
        self._add("sentry", (not part and _words(content)) or f"{part}{size:,} byte{'' if size == 1 else 's'}")

    def note(self, text: str) -> None:
        """What was done to the board, or became of it."""
        self._add("note", text)

    def part(self, after: int) -> dict[str, Any]:
        """What follows the line of that number, as much as fits one message; ``more``: that is not all."""
        if after > self._last:  # the clock was set back over a restart
            after = 0
        begin = max(0, len(self._lines) - (self._last - after))
        found = [{**line, "text": _harmless(line["text"])} for line in islice(self._lines, begin, begin + CONSOLE_PART)]
        return {"lines": found, "more": begin + len(found) < len(self._lines)}

    def _add(self, source: str, text: str) -> None:
        shown = text if len(text) <= CONSOLE_TEXT else text[: CONSOLE_TEXT - 1] + "…"
        self._last += 1
        self._lines.append({"n": self._last, "ts": self._now(), "from": source, "text": shown})


def _harmless(text: str) -> str:
    """No line of a board moves the cursor of whoever reads it."""
    return "".join(each if each.isprintable() else "?" for each in text)


def _words(content: bytes) -> str:
    """A line of text, or empty."""
    try:
        text = content.decode().strip()
    except UnicodeDecodeError:
        return ""
    return text if text.isprintable() else ""
