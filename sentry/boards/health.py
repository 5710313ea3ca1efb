"""What is remembered of a board's failures: those in a row, and whether it failed lately. Time forgets both."""

import asyncio
from collections.abc import Callable

from sentry.boards.settings import BoardSettings


class Health:
    """A board that failed is `shaky` until it has worked for `well_s`; ``changed`` is called when it has.

    The time counts from the self-test that it passed, not from the failure: in quarantine nobody uses it, and so it
    cannot fail either.
    """

    def __init__(self, settings: BoardSettings, changed: Callable[[], None]) -> None:
        self.failures = 0
        self.shaky = False
        self._settings, self._changed = settings, changed
        self._working: asyncio.TimerHandle | None = None

    @property
    def in_quarantine(self) -> bool:
        return self.failures >= self._settings.failures

    def on_plugged(self) -> None:
        """Anew, but not as if nothing had been: a loose cable unplugs a board too."""
        self.close()
        self.failures = 0

    def on_failed(self) -> None:
        self.close()
        self.failures += 1
        self.shaky = True

    def on_passed(self) -> None:
        """It is in order, perhaps for a while already."""
        if self.in_quarantine:
            self.failures = 0
        if self.shaky and self._working is None:
            self._working = asyncio.get_running_loop().call_later(self._settings.well_s, self.forget)

    def forget(self) -> None:
        self.close()
        self.failures, self.shaky = 0, False
        self._changed()

    def close(self) -> None:
        if self._working:
            self._working.cancel()
            self._working = None
