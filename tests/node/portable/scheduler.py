"""Runs on CPython and MicroPython: one epoch gives the least wake-ups, and nothing stops a task."""
# ruff: noqa: PT017, PT018 (plain asserts: MicroPython has no pytest)

from esp_node.scheduler import Scheduler


def wakeups(intervals, hours):
    scheduler = Scheduler(print)
    for interval in intervals:
        scheduler.every(interval * 1000, lambda: None)
    now = count = 0
    scheduler.due(now)
    while True:
        now = scheduler.next_wake(now)
        if now > hours * 3600000:
            return count
        scheduler.run_due(now)
        count += 1


def minimum(intervals, hours):
    return sum(1 for s in range(1, hours * 3600 + 1) if any(s % i == 0 for i in intervals))


for mix in ((30, 45, 60, 7), (30, 45, 60), (5, 7, 11, 13), (60, 300, 900, 3600), (60,) * 8):
    assert wakeups(mix, 1) == minimum(mix, 1), mix

# An exception stops neither the others nor the task itself; a late run is skipped, not caught up.
ran, errors = [], []
scheduler = Scheduler(lambda task, error: errors.append((task.name, str(error))))
scheduler.every(100, lambda: 1 // 0, "bad")
good = scheduler.every(100, lambda: ran.append(1), "good")
scheduler.due(0)
for now in (100, 200, 3250, 3260, 3300):
    scheduler.run_due(now)
assert len(ran) == 4 and len(errors) == 4 and errors[0][0] == "bad", (ran, errors)

# A clock that is set while we run must not put a task to sleep for years.
scheduler.run_due(10000)
assert scheduler.next_wake(50) == 100
scheduler.cancel(good)
scheduler.cancel(good)
assert [task.name for task in scheduler.tasks] == ["bad"]
for wrong in (0, 9, 604800001, 1.5, "1"):
    try:
        scheduler.every(wrong, print)
    except ValueError as error:
        assert str(error).startswith("interval: must be")
    else:
        raise AssertionError(wrong)

# The plain loop: sleeps exactly until the next multiple, ends without tasks.
clock, sleeps = [95], []


def wait(ms):
    sleeps.append(ms)
    clock[0] += ms
    if len(sleeps) == 3:
        scheduler.tasks.clear()


scheduler.run_forever(lambda: clock[0], wait)
assert sleeps == [5, 100, 100], sleeps
print("ok")
