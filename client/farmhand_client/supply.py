"""What of a batch waits, and what is out at a board. Pure."""

from collections import deque
from collections.abc import Iterable
from math import ceil
from typing import NamedTuple

from farmhand_client.evaluation import Evaluation

TRIES = 3  # of a piece, when boards fail under it: one that breaks boards ends somewhere
WINDOW, PART = 16, 4  # pieces that are out at a board; sent in one call


class Piece(NamedTuple):
    """``name``: of this evaluation in its batch."""

    name: str
    evaluation: Evaluation


class Supply:
    """``spread``: each piece is for any one of the boards, instead of for all that its evaluation names."""

    def __init__(self, pieces: Iterable[Piece], spread: bool) -> None:
        given = list(pieces)
        self.spread = spread
        self.serials = set[str]().union(*(piece.evaluation.serials for piece in given))
        self._shared = deque(given if spread else ())
        self._own = {serial: deque[Piece]() for serial in self.serials}
        self._out: dict[str, dict[str, Piece]] = {}
        self._failed: dict[str, set[str]] = {}  # name -> boards that failed under it
        for piece in () if spread else given:
            for serial in piece.evaluation.serials:
                self._own[serial].append(piece)

    def __len__(self) -> int:
        """How many results are still to come."""
        return sum(map(len, (self._shared, *self._own.values(), *self._out.values())))

    def skip(self, known: Iterable[tuple[str, str]]) -> list[tuple[str, Piece]]:
        """Nobody need evaluate these (serial, name); the ones that were waiting."""
        found: list[tuple[str, Piece]] = []
        waiting = {("", piece.name): piece for piece in self._shared}
        waiting |= {(serial, piece.name): piece for serial, own in self._own.items() for piece in own}
        for serial, name in known:
            if piece := waiting.pop(("" if self.spread else serial, name), None):
                found.append((serial, piece))
                (self._shared if self.spread else self._own[serial]).remove(piece)
        return found

    def join(self, serial: str) -> None:
        """A board that takes pieces from now on."""
        self._own.setdefault(serial, deque())
        self._out.setdefault(serial, {})

    def take(self, serial: str) -> list[Piece]:
        """What it shall be sent next, and is out from now on; none while it has enough."""
        part: list[Piece] = []
        most = WINDOW
        size = PART if self._out[serial] else 1  # a board that has nothing begins when it has the first
        if self._shared:  # towards the end no board shall have much that another could do
            most = min(WINDOW, max(2, ceil(len(self._shared) / len(self._out))))
        while len(part) < size and len(self._out[serial]) < most and (piece := self._next(serial)):
            self._out[serial][piece.name] = piece
            part.append(piece)
        return part

    def _next(self, serial: str) -> Piece | None:
        waiting = self._own[serial] or self._shared
        for piece in waiting:
            failed = self._failed.get(piece.name, set[str]())
            if serial not in failed or not self._out.keys() - failed:  # rather by the same board than never
                waiting.remove(piece)
                return piece
        return None

    def again(self, serial: str, piece: Piece) -> bool:
        """A board failed under a piece: whether it waits for another one now, behind all others."""
        if not self.spread:
            return False
        failed = self._failed.setdefault(piece.name, set())
        failed.add(serial)
        if len(failed) >= TRIES or not self._out.keys() - failed:
            return False
        self._shared.append(piece)
        return True

    def out(self, serial: str) -> set[str]:
        return set(self._out.get(serial, ()))

    def done(self, serial: str, name: str) -> Piece | None:
        """None: it was done before, or is out no more."""
        return self._out.get(serial, {}).pop(name, None)

    def take_back(self, serial: str) -> None:
        """All that is out waits again."""
        lost = list(self._out[serial].values())
        self._out[serial].clear()
        (self._shared if self.spread else self._own[serial]).extendleft(reversed(lost))

    def leave(self, serial: str) -> None:
        """The board takes nothing more; what only it can do waits for it."""
        self.take_back(serial)
        del self._out[serial]

    def hopeless(self, serial: str) -> list[Piece]:
        """What nobody can do without a board that has left, and waits no more."""
        waiting = self._own[serial]
        if self.spread and not self._out:
            waiting = self._shared
        found = list(waiting)
        waiting.clear()
        return found
