"""The one clock of the virtual board, in whole microseconds since power-on.

`virtual`: it moves when somebody sleeps, and by 1 us with each question, so that a loop that polls comes to an end.
`real`: it catches up with real time whenever somebody asks for the time or a pin.
Either way what is due fires on the move, each at its own time: `now_us` is then the event's time, not the asker's.
"""

import heapq

from esp_node.virtual import state

try:
    import utime as host  # MicroPython: the built-in module, whatever shadows `time`
except ImportError:
    import time as host

now_us = 0
real = False
_quiet = 0
_firing = 0
_events = []
_count = 0
_start_us = 0
_unix_us = 0


def start(live=False, at_us=0, unix_s=1767225600):
    """Power-on: nothing is planned, `now_us` is `at_us`. `unix_s`: what the wall clock of a virtual run says then; that
    of a live one is the host's, and `state.ahead_us`."""
    global now_us, real, _quiet, _firing, _unix_us, _start_us
    _events.clear()
    now_us, real, _quiet, _firing = at_us, live, 0, 0
    _start_us = host_us() - now_us
    _unix_us = (host.time_ns() // 1000 + state.ahead_us if live else unix_s * 1000000) - now_us


def at(time_us, run, argument=None):
    """Call run(argument) at `time_us`. Returns the plan, for cancel()."""
    global _count
    _count += 1
    plan = [time_us, _count, run, argument]
    heapq.heappush(_events, plan)
    return plan


def cancel(plan):
    """Forget a plan of at(); None or one that has run is no error."""
    if plan is not None:
        plan[2] = None


def now():
    """The present (us), after all that was due by then. Inside an interrupt handler: the time of its edge."""
    if not _firing:
        move(real_us() if real and not _quiet else now_us + 1)
    return now_us


def unix_us():
    """Microseconds since 1970."""
    return now() + _unix_us


def set_unix_us(unix_us):
    """Set the wall clock; a live one goes on with that after a reset."""
    global _unix_us
    _unix_us = unix_us - now()
    if real:
        state.set_ahead(unix_us - host.time_ns() // 1000)


def sleep(time_us):
    """Let time pass; a handler that sleeps holds up all other events."""
    if time_us <= 0:
        return
    if real and not _quiet:
        host_sleep(now() + time_us - real_us())
        now()
    else:
        move(now_us + time_us)


def move(until_us):
    """Fire what is due, each at its own time, up to `until_us`. Time never goes back."""
    global now_us
    while _events and _events[0][0] <= until_us and not _firing:
        plan = heapq.heappop(_events)
        if plan[2] is not None:
            now_us = max(now_us, plan[0])
            interrupt(plan[2], plan[3])
    now_us = max(now_us, until_us)


def step(until_us):
    """Move to the next event, or to `until_us` where none comes before. Returns False in the second case."""
    if _events and _events[0][0] < until_us:
        move(_events[0][0])
        return True
    move(until_us)
    return False


def interrupt(run, argument):
    """run(argument) while the time stands still."""
    global _firing
    _firing += 1
    try:
        run(argument)
    finally:
        _firing -= 1


def quiet(action, *arguments):
    """action(*arguments) with exact timing, as firmware does with interrupts off: real time follows afterwards."""
    global _quiet
    now()
    _quiet += 1
    try:
        return action(*arguments)
    finally:
        _quiet -= 1
        if real and not _quiet:
            host_sleep(now_us - real_us())


def host_us():
    """The interpreter's own clock (us)."""
    return host.ticks_us() if hasattr(host, "ticks_us") else host.monotonic_ns() // 1000


def real_us():
    """Where now() of a live board would move to."""
    return host_us() - _start_us


def host_sleep(time_us):
    """Sleep in real time, whatever the mode."""
    if time_us > 0:
        host.sleep_us(time_us) if hasattr(host, "sleep_us") else host.sleep(time_us / 1000000)
