"""The steward's events until the commander has stored them: in memory, bounded. Pure."""

from collections.abc import Mapping

Event = tuple[str, dict[str, object]]


class Outbox:
    """Events in order of their ``seq``; gone only when the commander's mark has passed them.

    Each start of a steward is a new ``stream``. ``wait_ms``: how long a mark may stand still before
    everything is sent again; it doubles, up to 16 times.
    """

    def __init__(self, stream: str, limit: int = 1000, wait_ms: int = 5000) -> None:
        self.stream = stream
        self._limit, self._wait, self._patience = limit, wait_ms, wait_ms
        self._events: dict[int, Event] = {}
        self._seq = 0
        self._unsent: int = 1  # first seq that is not sent on this connection
        self._resend_at = 0
        self._gap: tuple[int, int] | None = None

    def add(self, topic: str, fields: Mapping[str, object], now: int) -> None:
        """Append an event for ``topic``; the oldest one is given up when there are too many."""
        self._seq += 1
        event = {"ts": now, "stream": self.stream, "seq": self._seq, **fields}
        self._events[self._seq] = (topic, event)
        if len(self._events) > self._limit:
            oldest = next(iter(self._events))
            del self._events[oldest]
            self._gap = (self._gap[0] if self._gap else oldest, oldest)

    def passed(self, mark: int) -> None:
        """The commander has stored everything up to ``mark``."""
        for seq in [seq for seq in self._events if seq <= mark]:
            del self._events[seq]
            self._patience = self._wait
        if self._gap and self._gap[1] <= mark:
            self._gap = None

    def reconnected(self) -> None:
        """Nothing is known to have arrived: send all that is left again."""
        self._unsent, self._patience = 1, self._wait

    def due(self, now: int, gap_topic: str) -> list[Event]:
        """What to publish now; counts as sent."""
        again = bool(self._events) and self._unsent > next(iter(self._events)) and now >= self._resend_at
        if again:
            self._unsent, self._patience = 1, min(self._patience * 2, self._wait * 16)
        found = [event for seq, event in self._events.items() if seq >= self._unsent]
        if found:
            if self._gap:
                first, last = self._gap
                gap = {"ts": now, "stream": self.stream, "from": first, "to": last}
                found.insert(0, (gap_topic, {**gap, "why": "the steward's memory was full"}))
            self._unsent = self._seq + 1
            self._resend_at = now + self._patience
        return found
