"""Which board gets which bitstreams of a batch next: a few at a time, as a sentry takes only so many. Pure."""

from collections import deque

from commander.show import Item
from schema.boards import MOST_FILES

MOST_OUT = min(48, MOST_FILES)  # of one board; it gets more when it has less than half of them
HOLD_S = 60.0  # how long a board that took some before may take none, as it is healed
RETRY_S = 2.0


class Supply:
    """`spread`: each bitstream goes to one board, instead of to all."""

    def __init__(self, given: list[Item], serials: list[str], spread: bool) -> None:
        shared = deque(given)
        self._todo = {serial: shared if spread else deque(given) for serial in serials}
        self._out: dict[str, dict[str, Item]] = {serial: {} for serial in serials}
        self._begun: set[str] = set()
        self._again: set[tuple[str, str]] = set()
        self._refused: dict[str, float] = {}  # serial -> since when
        self._later: dict[str, float] = {}  # serial -> not asked before
        self._spread = spread
        self.problems: dict[str, str] = {}
        self.done = 0

    @property
    def expected(self) -> int:
        """How many results there will be in all, as far as is known."""
        queues = {id(queue): len(queue) for serial, queue in self._todo.items() if serial not in self.problems}
        return self.done + sum(queues.values()) + sum(map(len, self._out.values()))

    def next(self, now: float) -> list[tuple[list[str], list[Item]]]:
        """Calls to be made: (boards, bitstreams). A board's first is of one, so that it begins at once."""
        wanting = [serial for serial in self._todo if serial not in self.problems and self._todo[serial]]
        wanting = [
            serial
            for serial in wanting
            if len(self._out[serial]) < MOST_OUT // 2 and now >= self._later.get(serial, now)
        ]
        calls: dict[tuple[str, ...], tuple[list[str], list[Item]]] = {}
        for number, serial in enumerate(wanting):
            queue, out = self._todo[serial], self._out[serial]
            share = -(-len(queue) // (len(wanting) - number)) if self._spread else len(queue)
            size = min(share, MOST_OUT - len(out)) if serial in self._begun else min(share, 1)
            part = [queue.popleft() for _ in range(size)]
            out.update({each["name"]: each for each in part})
            if part:
                calls.setdefault(tuple(each["name"] for each in part), ([], part))[0].append(serial)
        return list(calls.values())

    def answered(self, serials: list[str], part: list[Item], wrong: dict[str, str], now: float) -> None:
        """Of a call; wrong: by serial what is wrong with boards that did not take it."""
        for serial in serials:
            if serial not in wrong:
                self._begun.add(serial)
                self._refused.pop(serial, None)
                continue
            self._later[serial] = now + RETRY_S
            back = [each for each in part if self._out[serial].pop(each["name"], None)]
            self._todo[serial].extendleft(reversed(back))
            if serial not in self._begun or now - self._refused.setdefault(serial, now) > HOLD_S:
                self.problems[serial] = wrong[serial]

    def has_result(self, serial: str, name: str) -> bool:
        """Whether it was waited for."""
        if self._out.get(serial, {}).pop(name, None) is None:
            return False
        self.done += 1
        return True

    def lost(self, serial: str) -> None:
        """The sentry has forgotten what it had for a board: once more, but what was lost twice is left to time."""
        for name, each in list(self._out.get(serial, {}).items()):
            if (serial, name) not in self._again:
                self._again.add((serial, name))
                del self._out[serial][name]
                self._todo[serial].appendleft(each)

    def gone(self, serial: str, why: str) -> None:
        """The board is somebody else's: those who share with it may have what it had."""
        out = self._out.get(serial, {})
        if out or self._todo.get(serial):
            self._todo[serial].extendleft(out.values())
            out.clear()
            self.problems[serial] = f"its lease has ended ({why})"
