"""What the history of boards says: who had which board when, and whether each time it was the turn of who got it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]

HALF_LIFE_MS = 6 * 3_600_000
ROUNDING_MS = 5


@dataclass
class Turn:
    """A wish, from when it was made until its boards were given back; times in ms. ``serials``: what it has now;
    ``had_when_asked``: board-ms that each user had had when it was made; ``passed``: how often whom was served while it
    waited."""

    user: str
    asked: int
    begun: int = 0
    ended: int = 0
    until: int = 0
    serials: set[str] = field(default_factory=set[str])
    had_when_asked: dict[str, float] = field(default_factory=dict[str, float], repr=False)
    passed: Counter[str] = field(default_factory=Counter[str])


class Turns:
    """By docs/boards.md: a wish is put back by what its user had lately, what he holds counts as booked; who is next
    is served. For wishes that all boards suit. AssertionError names what is not so."""

    def __init__(self, rows: list[Row]) -> None:
        self.of: dict[str, Turn] = {}
        self.owners: dict[str, str] = {}
        self._used: dict[str, tuple[float, int]] = {}
        for row in rows:
            match row["what"]:
                case "asked":
                    self._on_asked(row)
                case "begun":
                    self._on_begun(row)
                case "extended":
                    self.of[row["lease"]].until = row["data"]["until"]
                case "ended":
                    self._on_ended(row)
                case _:
                    pass

    def had(self, user: str, now: int) -> float:
        """Board-ms of what he gave back, half of it forgotten every six hours."""
        board_ms, ts = self._used.get(user, (0.0, now))
        return board_ms * 0.5 ** ((now - ts) / HALF_LIFE_MS)

    def _rank(self, turn: Turn, now: int) -> float:
        holding = [each for each in self.of.values() if each.user == turn.user and each.serials]
        booked = sum(len(each.serials) * (each.until - each.begun) for each in holding)
        return turn.asked + self.had(turn.user, now) + booked

    def _on_asked(self, row: Row) -> None:
        users = {each.user for each in self.of.values()} | {row["user"]}
        had = {user: self.had(user, row["ts"]) for user in users}
        self.of[row["lease"]] = Turn(row["user"], row["ts"], had_when_asked=had)

    def _on_begun(self, row: Row) -> None:
        turn, serial, now = self.of[row["lease"]], row["serial"], row["ts"]
        assert serial not in self.owners, f"{serial} is given to {row['lease']} and is still of {self.owners[serial]}"
        self.owners[serial] = row["lease"]
        if not turn.begun:
            mine = self._rank(turn, now)
            for other in self.of.values():
                if not other.begun and other is not turn:
                    assert mine <= self._rank(other, now) + ROUNDING_MS, f"{turn} was served before {other}"
                    other.passed[turn.user] += 1
            turn.begun, turn.until = now, row["data"]["until"]
        turn.serials.add(serial)

    def _on_ended(self, row: Row) -> None:
        turn, serial, now = self.of[row["lease"]], row["serial"], row["ts"]
        assert self.owners.pop(serial, None) == row["lease"], f"{row['lease']} gives back {serial}, which it has not"
        turn.serials.remove(serial)
        turn.ended = now
        self._used[turn.user] = self.had(turn.user, now) + now - turn.begun, now
