"""What is said of boards: events, the sure way, and lines of the log."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from schema.boards import BOARD_EVENT
from schema.message import TIME_MAX, Invalid
from schema.wire import encode
from sentry.birth import now_ms
from sentry.events import Event
from sentry.extras import Wish

log = logging.getLogger(__name__)

STREAM = 32  # letters of a stream's name at most


class Voice:
    """``tell`` may be called from any thread."""

    def __init__(self, tell: Callable[[Wish], None]) -> None:
        self._tell = tell

    def event(self, serial: str, event: str, contents: Mapping[str, Any], lease: str = "") -> None:
        """Something happened to a board, or, with a lease, is for that lease's client. ValueError when a state tells
        what no message can hold."""
        fields: dict[str, Any] = {"event": event, "contents": dict(contents)}
        if lease:
            fields["lease"] = lease
        try:
            encode(BOARD_EVENT, {"ts": TIME_MAX, "stream": "s" * STREAM, "seq": TIME_MAX, **fields})
        except Invalid as error:
            raise ValueError(f"event {event}: {error}") from None
        self._tell(Event("evt", "board", now_ms(), fields, serial))

    def problem(self, serial: str, text: str) -> None:
        log.warning("board %s: %s", serial, text)
