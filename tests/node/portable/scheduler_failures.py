"""Runs on CPython and MicroPython: what a failing task does to itself, and not to others."""
# ruff: noqa: PT017, PT018 (plain asserts: MicroPython has no pytest)

from esp_node.scheduler import Scheduler

heard = []


class Sensor:
    """Fails while `works` is false, and notes when it was tried."""

    def __init__(self):
        self.works = False
        self.tried = []
        self.raises = OSError(19)

    def __call__(self):
        self.tried.append(now)
        if not self.works:
            raise self.raises


def on_error(task, error):
    assert type(error) in (OSError, MemoryError)
    if task.failures <= 5:
        heard.append((now, task.name, task.failures, task.disabled))


def on_recovered(task):
    heard.append((now, task.name, task.failures, "recovered"))


def gaps(times):
    return [times[i + 1] - times[i] for i in range(len(times) - 1)]


scheduler = Scheduler(on_error, on_recovered)
slow, fast, good, weak, eager = Sensor(), Sensor(), Sensor(), Sensor(), Sensor()
good.works = True
scheduler.every(3600000, slow, "slow")
scheduler.every(100, fast, "fast")
scheduler.every(100, good, "good")
weakling = scheduler.every(1000, weak, "weak", disable_after=3)
scheduler.every(3600000, eager, "eager", missed="all")
for now in range(3590000, 3590000 + 7 * 3600000, 100):
    if now == 8000000:
        slow.works = fast.works = eager.works = True
    scheduler.run_due(now)
    for sensor in (good, fast):
        del sensor.tried[:-200]

# A long interval: again after 1, 2, 4 ... s up to 10 minutes, and at its multiple; then each hour as before.
pauses = gaps(slow.tried)
assert slow.tried[0] == 3600000
assert pauses[:10] == [1000, 2000, 4000, 8000, 16000, 32000, 64000, 128000, 256000, 512000], pauses
assert all(pause <= 600000 for pause in pauses[: slow.tried.index(7200000)]) and 7200000 in slow.tried
recovered = [entry for entry in heard if entry[1] == "slow" and entry[3] == "recovered"]
assert len(recovered) == 1 and recovered[0][0] < 8000000 + 600100, recovered
assert recovered[0][2] == slow.tried.index(recovered[0][0]), recovered
assert [now for now in slow.tried if now > recovered[0][0]] == [3600000 * k for k in range(3, 8)]

# A short one: the pause is whole intervals, at most 64 of them; the other task never missed its turn.
first = [entry[0] for entry in heard if entry[1] == "fast"][:5]
assert gaps(first) == [1000, 2000, 4000, 6400], first
assert fast.tried[-1] - fast.tried[0] == 19900 and good.tried == fast.tried

# Disabled after three failures in a row, and heard of each; enabled by hand it is tried again, at once.
assert [entry[1:4] for entry in heard if entry[1] == "weak"] == [
    ("weak", 1, False),
    ("weak", 2, False),
    ("weak", 3, True),
]
assert len(weak.tried) == 3 and weakling.disabled and weakling not in scheduler.due(now)
weakling.disabled = False
weak.works = True
now += 100
scheduler.run_due(now)
assert weak.tried[3:] == [now] and weakling.failures == 0 and heard[-1] == (now, "weak", 3, "recovered")

# Runs that fell into the pauses are missed runs: "all" makes up both hours.
assert [t for t in eager.tried if t >= 8000000][:3] == [recovered[0][0], recovered[0][0] + 100, 10800000], eager.tried

# The pause ends at a multiple, or at a whole second, also when the failure came late.
scheduler = Scheduler(lambda task, error: None)
tasks = [scheduler.every(interval, lambda: 1 // 0) for interval in (300, 3600000)]
scheduler.run_due(3599900)
scheduler.run_due(3600077)
assert [task.next for task in tasks] == [3601200, 3602000], [task.next for task in tasks]

# Faults that are not the task's own pass through; so does what on_error raises. The run counts as not done, and those
# behind it have their turn when the loop goes on.
for error in (KeyboardInterrupt(), SystemExit(3)):
    scheduler = Scheduler(on_error)
    bad, behind = Sensor(), Sensor()
    bad.raises, behind.works = error, True
    scheduler.every(1000, bad)
    scheduler.every(1000, behind)
    now = 500
    scheduler.run_due(now)
    now = 1000
    try:
        scheduler.run_due(now)
    except BaseException as passed:
        assert passed is error
    else:
        raise AssertionError("swallowed")
    bad.works = True
    scheduler.run_due(now)
    assert (bad.tried, behind.tried) == ([1000, 1000], [1000])


def give_up(task, error):
    if isinstance(error, MemoryError):
        raise error


scheduler = Scheduler(give_up)
full = Sensor()
full.raises = MemoryError()
task = scheduler.every(1000, full)
scheduler.run_due(0)
try:
    scheduler.run_due(1000)
except MemoryError:
    assert task.failures == 1
else:
    raise AssertionError("swallowed")
print("ok")
