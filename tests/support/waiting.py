"""How a test waits: for something that holds, never for seconds."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE = 30.0


def wait_until(
    what: str, check: Callable[[], T], patience: float = PATIENCE, passing: tuple[type[Exception], ...] = ()
) -> T:
    """The first true answer of `check`; one of the errors `passing` counts as no answer yet."""
    end = time.monotonic() + patience
    while True:
        last: object = None
        try:
            if found := check():
                return found
            last = found
        except passing as error:
            last = error
        assert time.monotonic() < end, f"waited {patience:.0f} s in vain for {what}; last: {last}"
        time.sleep(0.02)
