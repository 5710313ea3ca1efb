"""Makes the tasks of a scheduler, checked. Loaded for that, then forgotten."""

from esp_node.scheduler import Task
from schema.errors import Invalid

_WEEK = 604800000
_POLICIES = ("skip", "once", "all")  # what a task does about runs whose whole interval has passed; see scheduler.py


def add(scheduler, interval, run, name, early, missed, disable_after):
    """Scheduler.every(): the new task."""
    return put(scheduler, Task(name, interval, run), early, missed, disable_after)


def put(scheduler, task, early, missed="skip", disable_after=0):
    """Add a task with these options to those of a scheduler; returns it."""
    interval = task.interval
    if type(interval) is not int or not 5 <= interval <= _WEEK:
        raise Invalid("interval", "must be a whole number of ms from 5 to %d, not %r" % (_WEEK, interval))
    if not 0 <= early < 1:
        raise Invalid("early", "must be from 0 to below 1")
    if missed not in _POLICIES:
        raise Invalid("missed", "must be skip, once or all")
    if early:
        task.slack = int(early * interval)
    if missed != "skip":
        task.policy = _POLICIES.index(missed)
    if disable_after:
        task.disable_after = disable_after
    scheduler.tasks.append(task)
    return task
