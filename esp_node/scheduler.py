"""When what runs: every task at the multiples of its interval, all on one clock.

With all phases zero the wake-ups of any mix of intervals are as few as they can be, no search needed, and a task waits
at most its own interval for its first run. The core is pure: it is told the time and never sleeps.

A plan for more than two intervals ahead, or for more than 398 days ago, was made on a clock that has been set since. It
is made anew, so that such a step neither puts a task to sleep nor starts a burst of late runs. A smaller step forward
cannot be told from an outage and is treated as one.
"""

from esp_node import late

_DAY = 86400000  # the longest wait: ticks_ms must be asked before it has gone half round, in six days
_LONGEST_PAUSE = 600000
_INTERVALS = 64  # at most skipped after a failure, at most made up after an outage
_OUTAGE = 35  # bits: 2 ** 35 ms are 398 days

# What a task does about runs whose whole interval has passed; see tasks.py.
_SKIP = 0
_ALL = 2
_SKIPPED = 3  # left out the last time


class Task:
    """`run()`, each `interval` ms. `multiple` is the multiple of the interval that the coming run, or the one going on,
    stands for; `next` is when it must run (ms, later than the multiple after a failure); `failures` are those in a row;
    `slack` is by how many ms a run may come early; `policy` what follows a missed run, see tasks.py.
    """

    # Of the class, until they differ: an attribute of its own costs a task 8 bytes.
    failures = disable_after = slack = policy = 0
    disabled = False
    multiple = next = None

    def __init__(self, name, interval, run):
        self.name = name
        self.interval = interval
        self.run = run


class Scheduler:
    """Tasks on one clock (ms, any start). on_error(task, error) hears of every exception of a task, on_recovered(task)
    of the first success after it, with task.failures still telling how many there were. What these two raise passes
    through run_due(): so on_error can end the loop at a MemoryError. KeyboardInterrupt and SystemExit pass, too; such a
    run counts as not done. What was due behind it stays due.
    """

    def __init__(self, on_error, on_recovered=None):
        self.tasks = []
        self.on_error = on_error
        self.on_recovered = on_recovered

    def every(self, interval, run, name="", early=0, missed="skip", disable_after=0):
        """Run `run()` at the multiples of `interval` (ms, 5 to a week). Returns the task.

        early: the fraction of its interval (0 to below 1) by which a run may come early to share a wake-up.
        missed: what follows when whole intervals passed without a run: "skip" goes on at the next multiple, "once"
        makes one run for all of them, "all" one for each, at most the newest 64.
        A failed run is tried again after 1 s, 2 s, 4 s up to 10 minutes, but neither more often than the interval nor
        after more than 64 of them; disable_after: as many failures in a row set task.disabled (0: never).
        """
        return late.call("tasks", "add", self, interval, run, name, early, missed, disable_after)

    def cancel(self, task):
        """Forget a task; a task that is not known any more is no error."""
        if task in self.tasks:
            self.tasks.remove(task)

    def next_wake(self, now):
        """Time of the next run (ms), not after `now` when it is due, or None when nothing is planned."""
        wake = None
        for task in self.tasks:
            if not task.disabled:
                self._follow(task, now)
                if wake is None or task.next < wake:
                    wake = task.next
        return wake

    def due(self, now):
        """What runs now, in the order it was added: nothing, unless a task can wait no longer; then all that may."""
        wake = self.next_wake(now)
        if wake is None or wake > now:
            return ()
        due = []
        for task in self.tasks:
            if not task.disabled and task.next - (0 if task.failures else task.slack) <= now:
                due.append(task)
        return due

    def run_due(self, now):
        """Run what is due. An exception in one task stops no other."""
        for task in self.due(now):
            if task not in self.tasks:
                continue  # one that ran before has cancelled it
            if task.policy != _ALL and now - task.multiple >= task.interval:
                task.multiple = now // task.interval * task.interval
            try:
                task.run()
            except Exception as error:
                self._failed(task, now)
                self.on_error(task, error)
                continue
            if task.failures:
                if self.on_recovered:
                    self.on_recovered(task)
                task.failures = 0
            if task.policy == _SKIPPED:
                task.policy = _SKIP
            task.next = task.multiple = task.multiple + task.interval

    def run_forever(self, clock, wait):
        """The plain loop, until no task is left: `clock()` gives ms, `wait(ms)` sleeps or serves the link, and may
        return early.
        """
        while self.tasks:
            self.run_due(clock())
            now = clock()
            wake = self.next_wake(now)
            if self.tasks:
                wait(_DAY if wake is None else min(_DAY, max(0, wake - now)))

    def _follow(self, task, now):
        # Bring the plan of one task up to what the clock says.
        interval = task.interval
        if task.next is None:
            keep = False
        elif task.next > now:
            keep = task.next - now <= 2 * interval + (_LONGEST_PAUSE if task.failures else 0)
        else:
            keep = now - task.next >> _OUTAGE == 0
            if keep and now - task.multiple >= interval:
                if task.policy == _ALL:
                    task.multiple = max(task.multiple, (now // interval - _INTERVALS + 1) * interval)
                elif task.policy == _SKIP and not task.failures:
                    # Not twice in a row: a loop that is always late by more than the interval would never run it.
                    task.policy = _SKIPPED
                    keep = False
        if not keep:
            task.next = task.multiple = (now // interval + 1) * interval

    def _failed(self, task, now):
        task.failures += 1
        if 0 < task.disable_after <= task.failures:
            task.disabled = True
        interval = task.interval
        pause = min(1000 << min(task.failures - 1, 10), _LONGEST_PAUSE, _INTERVALS * interval)
        if pause < interval:  # sooner than the next multiple, at a whole second that others may share
            task.next = min(-(-(now + pause) // 1000) * 1000, (now // interval + 1) * interval)
        else:
            task.next = -(-(now + pause) // interval) * interval
