"""Time, for both interpreters: whole numbers only, because floats on a board are single
precision."""

import time

_SET_AFTER = 1704067200000  # 2024: a board that has not heard the time yet counts from 1970 or 2000
_EPOCH_SHIFT = 0 if time.gmtime(0)[0] == 1970 else 946684800000


def unix_ms():
    """Milliseconds since 1970 UTC, or 0 while the clock is not set."""
    now = time.time_ns() // 1000000 + _EPOCH_SHIFT
    return now if now > _SET_AFTER else 0


if hasattr(time, "ticks_ms"):
    _last = time.ticks_ms()
    _total = 0

    def mono_ms():
        """Milliseconds since start, without the wrap of ticks_ms; call it at least once in six
        days."""
        global _last, _total
        now = time.ticks_ms()
        _total += time.ticks_diff(now, _last)
        _last = now
        return _total

    mono_us = time.ticks_us
    diff_us = time.ticks_diff
else:

    def mono_ms():
        return time.monotonic_ns() // 1000000

    def mono_us():
        return time.monotonic_ns() // 1000

    def diff_us(new, old):
        return new - old
