"""When what runs: every task at the multiples of its interval, all on one clock.

With all phases zero the wake-ups of any mix of intervals are as few as they can be, no search
needed, and a task waits at most its
own interval for its first run. Missed runs are skipped. The core is pure: it is told the time and
never sleeps.
"""


class Task:
    """Something to run each `interval` ms; `next` is the time of its next run."""

    def __init__(self, name, interval, run):
        self.name = name
        self.interval = interval
        self.run = run
        self.next = None
        self.failures = 0


class Scheduler:
    """Tasks on one clock (milliseconds, any start). `on_error(task, error)` hears of every
    exception that a task raises."""

    def __init__(self, on_error):
        self.tasks = []
        self.on_error = on_error

    def every(self, interval, run, name=""):
        """Run `run()` at the multiples of `interval` (ms, 10 to a week). Returns the task."""
        if type(interval) is not int or not 10 <= interval <= 604800000:
            raise ValueError("interval: must be a whole number of ms from 10 to 604800000, not %r" % (interval,))
        task = Task(name, interval, run)
        self.tasks.append(task)
        return task

    def cancel(self, task):
        """Forget a task; a task that is not known any more is no error."""
        if task in self.tasks:
            self.tasks.remove(task)

    def due(self, now):
        """Tasks whose time has come, in the order they were added."""
        return [task for task in self.tasks if self._next(task, now) <= now]

    def next_wake(self, now):
        """Time of the next run (ms), or None without tasks."""
        return min([self._next(task, now) for task in self.tasks]) if self.tasks else None

    def run_due(self, now):
        """Run what is due. An exception in one task stops no other."""
        for task in self.due(now):
            task.next = (now // task.interval + 1) * task.interval
            try:
                task.run()
            except Exception as error:
                task.failures += 1
                self.on_error(task, error)

    def run_forever(self, clock, wait):
        """The plain loop: `clock()` gives ms, `wait(ms)` sleeps and serves the link; it may return
        early."""
        while self.tasks:
            self.run_due(clock())
            now = clock()
            wait(max(0, (self.next_wake(now) or now) - now))

    def _next(self, task, now):
        # A clock that was set while we ran may have jumped: a run further away than one interval
        # is no plan of ours.
        if task.next is None or task.next - now > task.interval:
            task.next = (now // task.interval + 1) * task.interval
        return task.next
