"""Brings events from the sentry to the commander: outbox, flight and marks, in one place.

Only what the marks have passed is deleted; all else is sent, and sent again.
"""

import logging
import sqlite3
import time

from sentry import flight as flights
from sentry.birth import now_ms
from sentry.events import Event
from sentry.outbox import Outbox
from sentry.settings import Settings
from sentry.uplink import Uplink

log = logging.getLogger(__name__)


class Courier:
    """``is_busy``: there may be more to do soon that no input tells of."""

    def __init__(self, outbox: Outbox, uplink: Uplink, settings: Settings) -> None:
        self._outbox, self._uplink = outbox, uplink
        self._hears_marks = settings.hears_marks
        self._rule = flights.Rule(settings.window_least, settings.window_most, settings.still_s, settings.still_most_s)
        figures = outbox.figures()
        self._stream = figures.stream
        self._flight = flights.begin(self._rule, figures.mark, time.monotonic())
        self._passed = 0  # the highest mark heard
        self._events: list[Event] = []
        self._may_send_more = False

    def take(self, event: Event) -> None:
        """Stored with the next `on_time` or `store`."""
        self._events.append(event)

    def on_connected(self, now: float) -> None:
        self._flight = flights.connected(self._flight, self._rule, now, self._hears_marks)

    def on_marks(self, marks: dict[str, int]) -> None:
        mark = marks.get(self._stream, 0)
        self._passed = max(self._passed, mark)
        if mark < self._flight.mark:
            # A commander restored from a backup waits for events that were deleted here long ago.
            gone = {"from": mark + 1, "to": self._flight.mark, "why": "deleted: was stored before"}
            self._uplink.say("evt", "gap", {"ts": now_ms(), "stream": self._stream, **gone})

    def on_time(self, now: float) -> None:
        self.store()
        self._advance(now)
        self._pump(now)

    @property
    def is_busy(self) -> bool:
        return self._may_send_more or bool(self._outbox.problem)

    def store(self) -> None:
        before = self._outbox.problem
        self._outbox.put(self._events)
        self._events.clear()
        for error in self._outbox.unfit:
            log.error("an event of this program is not as declared: %s", error)
        self._outbox.unfit.clear()
        if self._outbox.problem and not before:
            log.error("outbox: %s; events wait in memory", self._outbox.problem)

    def figures(self) -> dict[str, int]:
        """For the sign of life."""
        figures = self._outbox.figures()
        return {
            "queue": figures.rows + figures.waiting,
            "dropped": figures.dropped,
            "resent": self._flight.resent,
            "window": self._flight.window,
        }

    def close(self) -> None:
        self._outbox.close()

    def _advance(self, now: float) -> None:
        """Delete what the mark has passed; on a full disk, which forbids even that, try again."""
        if self._passed <= self._flight.mark:
            return
        try:
            new_stream = self._outbox.advance(self._passed)
        except sqlite3.OperationalError:  # told by `store`, which meets the same disk
            return
        if new_stream:
            self._stream = self._outbox.figures().stream
            self._passed, self._flight = 0, flights.begin(self._rule, 0, now)
            log.error("outbox is older than what the commander has; new stream %s", self._stream)
        else:
            self._flight = flights.on_mark(self._flight, self._rule, self._passed, now)

    def _pump(self, now: float) -> None:
        """Send what the window allows of what was not sent yet, or must be sent again."""
        if self._hears_marks and self._uplink.connected:
            self._flight = flights.on_tick(self._flight, self._rule, now)
            limit = self._flight.limit
        else:
            limit = self._flight.sent + self._flight.window
        room = self._uplink.room(self._flight.window)
        items = self._outbox.after(self._flight.sent, limit, room) if room else []
        for item in items:
            self._uplink.send(item)
        if items:
            self._flight = flights.on_sent(self._flight, items[-1].seq, now)
        self._may_send_more = bool(items) or (self._uplink.connected and not room)
