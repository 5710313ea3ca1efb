"""Time, for both interpreters: whole numbers only, because floats on a board are single precision.

Two clocks: the steady one (mono_ms, since start) that nothing sets, and UTC (unix_ms). UTC is what the network said
(ntp.py) as an offset over the steady clock; before that what the machine's own clock says, if it can be true.
"""

import time

_EPOCH_SHIFT = 0 if time.gmtime(0)[0] == 1970 else 946684800000
_FIRST = 1704067200000  # 2024: a board that has not heard the time yet counts from 1970 or 2000
offset = None  # of UTC over the steady clock, in ms; None: only the machine's clock is known
set_at = 0  # on the steady clock


def unix_ms():
    """Milliseconds since 1970 UTC, or 0 while the time is not known."""
    if offset is not None:
        return mono_ms() + offset
    now = time.time_ns() // 1000000 + _EPOCH_SHIFT
    return now if now > _FIRST else 0


def age_ms():
    """Milliseconds since the time was last set, None while nobody has. A board's quartz drifts 1 to 5 s a day."""
    return None if offset is None else mono_ms() - set_at


if hasattr(time, "ticks_ms"):
    from time import ticks_diff, ticks_ms, ticks_us

    _last = ticks_ms()
    _total = 0

    def mono_ms():
        """Milliseconds since start, without the wrap of ticks_ms; call it at least once in six days."""
        global _last, _total
        now = ticks_ms()
        _total += ticks_diff(now, _last)
        _last = now
        return _total
else:

    def mono_ms():
        return time.monotonic_ns() // 1000000

    def ticks_us():
        return time.monotonic_ns() // 1000

    def ticks_diff(new, old):
        return new - old

    ticks_ms = mono_ms


def paced_ms():
    """The clock of whatever has a pace, ms: the real one, so that a restart keeps the pace; the steady one while the
    real one is unset."""
    return unix_ms() or mono_ms()
