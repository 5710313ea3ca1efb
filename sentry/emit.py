"""Test events at a chosen rate, put into the outbox file beside the running sentry."""

import time

from sentry.birth import now_ms
from sentry.errors import HomeFailed
from sentry.events import Event
from sentry.home import Home
from sentry.settings import Settings


def emit(home: Home, settings: Settings, count: int, rate: float) -> int:
    """Put ``count`` events `test` {n: 1..count} into the outbox, ``rate`` per second (0: at once).

    Returns the seq of the last. The running sentry sends them; they wait when none runs.
    """
    outbox = home.outbox(home.credential(), settings, now_ms)
    start, done = time.monotonic(), 0
    try:
        while done < count:
            due = count if rate <= 0 else int((time.monotonic() - start) * rate) + 1
            end = min(count, due, done + 1000)
            events = [Event("evt", "test", now_ms(), {"n": n + 1}) for n in range(done, end)]
            if not outbox.put(events):
                raise HomeFailed(f"{home.path}/outbox.sqlite: {outbox.problem}")
            done = end
            if rate > 0:
                time.sleep(settings.tick_s)
        return outbox.figures().next_seq - 1
    finally:
        outbox.close()
