"""Runs on CPython and MicroPython: weeks and years of virtual time; a clock that drags, wraps and jumps."""
# ruff: noqa: PT018 (plain asserts: MicroPython has no pytest)

import gc
import sys
import time

WEEK = 604800000
YEAR = 365 * 86400000


class Ticks:
    """The module `time` of a board: ticks_ms wraps at 2 ** 30."""

    def __init__(self):
        self.ms = 2**30 - 5000
        self.gmtime = time.gmtime
        self.ticks_us = None

    def ticks_ms(self):
        return self.ms % 2**30

    def ticks_diff(self, new, old):
        return (new - old + 2**29) % 2**30 - 2**29


real = time
board = sys.modules["time"] = Ticks()
from esp_node.clock import mono_ms  # noqa: E402 (after the board's time is there)

sys.modules["time"] = real
from esp_node.scheduler import Scheduler  # noqa: E402


class Counted:
    def __init__(self, scheduler, interval, **options):
        self.runs = 0
        self.late = 0
        self.task = scheduler.every(interval, self, **options)

    def __call__(self):
        self.runs += 1
        self.late = max(self.late, mono_ms() - self.task.multiple)


def failed(task, error):
    raise error


# A week in seconds: runs take time, the loop wakes late and is woken early by the link, ticks_ms wraps. Each task runs
# at each multiple, and no lateness adds up: less than 1 ms in 1,000 periods.
scheduler = Scheduler(failed)
counted = [Counted(scheduler, interval) for interval in (30000, 45000, 60000, 7000, 3600000, 86400000, WEEK)]
wakes = 0


def wait(ms):
    global wakes  # noqa: PLW0603
    wakes += 1
    board.ms += min(ms, 20000) + wakes % 4  # the link returns early, the timer late
    if mono_ms() > WEEK + 100:
        scheduler.tasks.clear()


start = real.time()
scheduler.run_forever(mono_ms, wait)
assert real.time() - start < 60, real.time() - start
assert [each.runs for each in counted] == [WEEK // each.task.interval for each in counted]
assert all(each.late <= 3 for each in counted), [each.late for each in counted]

# 10 ms, late by 0 to 3 ms each time: 100,000 periods take 1,000,000 ms.
scheduler = Scheduler(failed)
fast = Counted(scheduler, 10)
begin = mono_ms() // 10 * 10
wakes = 0


def wait_a_bit(ms):
    global wakes  # noqa: PLW0603
    wakes += 1
    board.ms += ms + wakes % 4
    if fast.runs == 20000:
        scheduler.tasks.clear()


scheduler.run_forever(mono_ms, wait_a_bit)
assert fast.task.multiple - 10 - begin == 200000 and fast.late <= 3, (fast.task.multiple, begin, fast.late)

# Ten years, once a week; no wait is longer than mono_ms can bridge.
scheduler = Scheduler(failed)
rare = Counted(scheduler, WEEK)
begin = mono_ms()


def wait_long(ms):
    assert ms <= 86400000
    board.ms += ms
    if mono_ms() - begin > 10 * YEAR:
        scheduler.tasks.clear()


scheduler.run_forever(mono_ms, wait_long)
assert rare.runs in (521, 522) and rare.late == 0, rare.runs


def jump(before, after, missed="skip", interval=60000):
    """Times of the runs after a clock that was at `before` shows `after`; the loop looks in each half second."""
    scheduler = Scheduler(failed)
    ran = []
    scheduler.every(interval, lambda: ran.append(now), missed=missed)
    for now in range(before - 3 * interval, before, 500):
        scheduler.run_due(now)
    del ran[:]
    for now in range(after, after + 3 * interval, 500):
        scheduler.run_due(now)
    return ran


UNIX = 1790000000000 // 60000 * 60000
HOUR = 3600000
for missed in ("skip", "once", "all"):
    # The time becomes known, or is lost: 56 years. No run is late, and none waits longer than its interval.
    assert jump(10 * 60000 + 10000, UNIX + 20000, missed) == [UNIX + 60000, UNIX + 120000, UNIX + 180000], missed
    assert jump(UNIX + 20000, 30000, missed) == [60000, 120000, 180000], missed
    # Set back: by less than an interval, nothing runs twice; by more, the pace of the new time holds.
    assert jump(UNIX + 10000, UNIX - 5000, missed) == [UNIX + 60000, UNIX + 120000], missed
    assert jump(UNIX + 10000, UNIX - HOUR + 10000, missed)[:2] == [UNIX - HOUR + 60000, UNIX - HOUR + 120000], missed
# Set forward by an hour and a bit: looks like an outage.
late = UNIX + HOUR + 10000
assert jump(UNIX + 5000, late)[:2] == [UNIX + HOUR + 60000, UNIX + HOUR + 120000]
assert jump(UNIX + 5000, late, "once")[:2] == [late, UNIX + HOUR + 60000]
made_up = [now for now in jump(UNIX + 5000, late, "all") if now < UNIX + HOUR + 60000]
assert made_up == [late + 500 * i for i in range(60)], made_up

# A failing task that waits ten minutes is not put to sleep by a clock that is set back.
scheduler = Scheduler(lambda task, error: None)
task = scheduler.every(1000, lambda: 1 // 0)
now = UNIX
while task.failures < 20:
    now += 1000
    scheduler.run_due(now)
assert scheduler.next_wake(now) - now > 60000
assert scheduler.next_wake(now - 24 * HOUR) - (now - 24 * HOUR) == 1000

# Looking in costs the heap nothing while no task is due (numbers of this size are no objects here).
if hasattr(gc, "mem_alloc"):
    scheduler = Scheduler(failed)
    tasks = [scheduler.every(interval, print, early=0.1) for interval in (1000, 60000, 3600000)]
    scheduler.run_due(UNIX)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for now in range(UNIX + 1, UNIX + 101):
        scheduler.run_due(now)
        scheduler.next_wake(now)
    spent = gc.mem_alloc() - before
    gc.enable()
    assert spent < 100 * 70, spent  # 64 B a pass: the frame of a method call
print("ok")
