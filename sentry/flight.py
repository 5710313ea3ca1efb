"""How much of the outbox may be under way, and when it is sent again. Pure.

The only proof of storage is the commander's mark. What lies between the mark and the last event
sent is "in flight"; a mark that stands still means that something on the way lost it.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Rule:
    """Numbers of the rule: window in events, pauses in seconds."""

    least: int = 50
    most: int = 2000
    still_s: float = 5
    still_most_s: float = 60


@dataclass(frozen=True, slots=True)
class Flight:
    """``sent``, ``mark``: highest seq sent, and stored; ``since``: when the mark last moved."""

    mark: int = 0
    sent: int = 0
    window: int = 200
    since: float = 0
    wait_s: float = 5
    resent: int = 0

    @property
    def limit(self) -> int:
        """Highest seq that may be sent now."""
        return self.mark + self.window


def begin(rule: Rule, mark: int, now: float) -> Flight:
    window = max(rule.least, min(200, rule.most))
    return Flight(mark=mark, sent=mark, window=window, since=now, wait_s=rule.still_s)


def connected(flight: Flight, rule: Rule, now: float, hears_marks: bool = True) -> Flight:
    """What is behind the mark goes out again: nobody knows what the old connection carried.

    Who never hears a mark repeats one window, which is the most that can have been under way.
    """
    sent = flight.mark if hears_marks else max(flight.mark, flight.sent - flight.window)
    return replace(flight, sent=sent, since=now, wait_s=rule.still_s)


def on_sent(flight: Flight, seq: int, now: float) -> Flight:
    """After sending up to ``seq``; the waiting begins with the first event under way."""
    since = flight.since if flight.sent > flight.mark else now
    return replace(flight, sent=max(flight.sent, seq), since=since)


def on_mark(flight: Flight, rule: Rule, mark: int, now: float) -> Flight:
    """Progress widens the window by what was stored; an older mark changes nothing."""
    if mark <= flight.mark:
        return flight
    window = min(rule.most, flight.window + (mark - flight.mark))
    sent = max(flight.sent, mark)
    return Flight(mark, sent, window, now, rule.still_s, flight.resent)


def on_tick(flight: Flight, rule: Rule, now: float) -> Flight:
    """Send again, half as much and more patiently, when the mark stood still for too long."""
    if flight.sent <= flight.mark or now - flight.since < flight.wait_s:
        return flight
    return Flight(
        mark=flight.mark,
        sent=flight.mark,
        window=max(rule.least, flight.window // 2),
        since=now,
        wait_s=min(flight.wait_s * 2, rule.still_most_s),
        resent=flight.resent + 1,
    )


def retry_pause(attempt: int, first_s: float, most_s: float, chance: float) -> float:
    """Seconds before attempt ``attempt`` (from 1) to connect; ``chance`` 0..1 spreads a crowd."""
    whole = min(most_s, first_s * 2.0 ** min(attempt - 1, 30))
    return whole * (0.5 + chance / 2)
