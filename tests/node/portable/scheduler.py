"""Runs on CPython and MicroPython: one epoch gives the least wake-ups, and each policy does with missed runs what it
says.
"""
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


def follow(missed, times, interval=100):
    """(time, multiple that the run stands for) of each run at `times`, at which the scheduler looks in."""
    ran = []
    scheduler = Scheduler(print)
    task = scheduler.every(interval, lambda: ran.append((now, task.multiple)), missed=missed)
    for now in times:
        scheduler.run_due(now)
    return ran


# Late by less than the interval is late, not missed; a missed run is left out, made up once, or made up in full.
late = (0, 100, 100, 199, 250, 300, 301)
for policy in ("skip", "once", "all"):
    assert follow(policy, late) == [(100, 100), (250, 200), (300, 300)], policy
gap = (0, 100, 450, 451, 452, 453, 500, 501)
assert follow("skip", gap) == [(100, 100), (500, 500)]
assert follow("once", gap) == [(100, 100), (450, 400), (500, 500)]
assert follow("all", gap) == [(100, 100), (450, 200), (451, 300), (452, 400), (500, 500)]

# "all" makes up the newest 64 and no more; each pass makes one, so that others and the link have their turn.
made = follow("all", [0, 100] + [1000050 + i for i in range(80)])
assert [time - made[1][0] for time, _ in made[1:]] == list(range(65))
assert [multiple for _, multiple in made[1:]] == [1000000 - 100 * i for i in range(63, -2, -1)], made

# Whoever always comes late by more than the interval still runs, every other time.
assert [now for now, _ in follow("skip", range(0, 2000, 250))] == [500, 1000, 1500], follow("skip", range(0, 2000, 250))

# The order is that of adding; a task that another one cancels does not run any more, one that is added waits its turn.
ran = []
scheduler = Scheduler(print)


def first():
    ran.append("first")
    scheduler.cancel(second)
    scheduler.every(100, lambda: ran.append("new"))
    scheduler.cancel(task)


task = scheduler.every(100, first)
second = scheduler.every(100, lambda: ran.append("second"))
third = scheduler.every(100, lambda: ran.append("third"))
scheduler.due(0)
assert scheduler.due(99) == () and scheduler.due(100) == [task, second, third]
for now in (100, 150, 200):
    scheduler.run_due(now)
assert ran == ["first", "third", "third", "new"], ran
scheduler.cancel(task)  # not known any more: no error
assert Scheduler(print).next_wake(5) is None and Scheduler(print).due(5) == ()

for wrong in (0, 4, 604800001, 1.5, "1", True, None):
    try:
        scheduler.every(wrong, print)
    except ValueError as error:
        assert str(error).startswith("interval: must be")
    else:
        raise AssertionError(wrong)
for name, wrong in (("early", 1), ("early", -0.1), ("early", float("nan")), ("missed", "none"), ("missed", None)):
    try:
        scheduler.every(100, print, **{name: wrong})
    except ValueError as error:
        assert str(error).startswith(name + ": must be")
    else:
        raise AssertionError(name)

# The plain loop: sleeps exactly until the next multiple, ends without tasks; with none but disabled tasks it idles.
clock, sleeps = [95], []


def wait(ms):
    sleeps.append(ms)
    clock[0] += ms
    if len(sleeps) == 3:
        scheduler.tasks.clear()


scheduler = Scheduler(print)
only = scheduler.every(100, lambda: None)
scheduler.run_forever(lambda: clock[0], wait)
assert sleeps == [5, 100, 100], sleeps
del sleeps[:]
only.disabled = True
scheduler.tasks.append(only)
scheduler.run_forever(lambda: clock[0], wait)
assert sleeps == [86400000] * 3, sleeps

# A run that takes longer than its interval: the loop waits 0 ms, never less.
scheduler = Scheduler(print)
del sleeps[:]


def slow():
    clock[0] += 250


scheduler.every(100, slow, missed="all")
scheduler.run_forever(lambda: clock[0], wait)
assert len(sleeps) == 3 and min(sleeps) == 0, sleeps
print("ok")
