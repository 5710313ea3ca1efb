"""A thread of its own for the collectors: a hanging disk must not stop the sign of life."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue

from sentry.collect import make, names, read_all
from sentry.reading import Reading


@dataclass(frozen=True, slots=True)
class Measured:
    readings: list[Reading]


class Measurer:
    def __init__(self, tell: Callable[[Measured], None]) -> None:
        self._tell = tell
        self._asked: SimpleQueue[None] = SimpleQueue()
        self._busy = False
        threading.Thread(target=self._serve, daemon=True, name="measure").start()

    def ask(self) -> None:
        """Measure once; the answer comes as `Measured`. Ignored while the last one still runs."""
        if not self._busy:
            self._busy = True
            self._asked.put(None)

    def _serve(self) -> None:
        collectors = [(name, make(name)) for name in names()]
        while True:
            self._asked.get()
            readings = read_all(collectors)
            self._busy = False
            self._tell(Measured(readings))
