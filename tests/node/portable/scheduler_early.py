"""Runs on CPython and MicroPython: tasks that may come early share wake-ups as well as can be, and run once for each
multiple.
"""
# ruff: noqa: PLW0603 (time is a global of this script)

from esp_node.scheduler import Scheduler

HOURS = 4


class Checked:
    """A task of `interval` s that checks that it runs once for each multiple, never late, never too early."""

    def __init__(self, scheduler, interval, early):
        self.early = early * interval * 1000
        self.runs = 0
        self.task = scheduler.every(interval * 1000, self, early=early)

    def __call__(self):
        self.runs += 1
        assert self.task.multiple == self.runs * self.task.interval
        assert 0 <= self.task.multiple - now <= self.early


def wakeups(mix, early):
    """How often the tasks of the intervals `mix` (s) wake the machine within HOURS."""
    global now
    scheduler = Scheduler(failed)
    tasks = [Checked(scheduler, interval, early) for interval in mix]
    now = count = 0
    scheduler.due(now)
    while True:
        wake = scheduler.next_wake(now)
        assert scheduler.due(wake - 1) == ()  # nobody runs while all can wait
        now = wake
        if now > HOURS * 3600000:
            break
        scheduler.run_due(now)
        count += 1
    for each in tasks:  # at the very end some have run ahead
        assert each.runs - HOURS * 3600000 // each.task.interval in (0, 1)
    return count


def failed(task, error):
    raise error


def fewest(mix, early):
    """The least number of points that stab all windows [end - early * interval, end] with ends within HOURS."""
    last, count = -1, 0
    for end in range(1000, HOURS * 3600000 + 1, 1000):
        if any(end % (i * 1000) == 0 and end - int(early * i * 1000) > last for i in mix):
            last, count = end, count + 1
    return count


for mix in ((30, 45, 60, 7), (5, 7, 11, 13)):
    for early in (0, 0.05, 0.1, 0.25):
        assert wakeups(mix, early) == fewest(mix, early), (mix, early)

# A task that may come early does not hurry when the loop looks in for other reasons, and after a failure its pause
# holds.
ran = []
scheduler = Scheduler(lambda task, error: None)
task = scheduler.every(10000, lambda: ran.append(now) or 1 // len(fails), early=0.5)
for interval in (7000, 7500):
    scheduler.every(interval, lambda: None)
fails = []
for now in range(0, 15000, 250):
    scheduler.run_due(now)
    if now == 8500:
        fails.append(1)
assert ran == [7000, 8000, 10000], ran
print("ok")
