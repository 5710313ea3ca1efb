"""The scheduler's sleeping drivers: each has a `wait` for Scheduler.run_forever that serves the link first.

    sleep = Light(mono_ms, serve, busy)                         sleep = Deep(scheduler, now, serve, busy, path)
    scheduler.run_forever(now, sleep.wait)                      scheduler.run_forever(sleep.clock, sleep.wait)

The third driver is the plain loop: run_forever(now, serve). `serve(ms)` handles what arrives and returns at the latest
after `ms`, true when more may have arrived; `busy()` is true while something still has to go out or an answer is
awaited. A machine without the wanted sleep takes the next best: light for deep, then time.sleep.
"""

import time

from esp_node import late

_HOUR = 3600000  # no longer at a time: an ESP8266's alarm ends at 71 minutes
_MARK = "sleep1"  # what begins so in the RTC's memory is ours
_COUNTS = 35  # bits: a clock below 2 ** 35 ms counts from the start, it does not know the time


class Light:
    """Light sleep: memory and the program's place are kept, a Wi-Fi connection on most boards is not for long; so
    `longest_ms` should be half of the MQTT keepalive. `awake_ms` is how long `busy()` may keep the board awake.
    """

    def __init__(self, clock, serve, busy, awake_ms=3000, longest_ms=_HOUR):
        self._clock = clock
        self._serve = serve
        self._busy = busy
        self._awake_ms = awake_ms
        self._longest_ms = longest_ms
        self._nap = getattr(_machine(), "lightsleep", None) or _pause

    def wait(self, ms):
        """Serve the link, then sleep for the rest of `ms`."""
        left = min(self._served(ms), self._longest_ms)
        if left > 0:
            self._nap(left)

    def _served(self, ms):
        # What is left of `ms` when the link has nothing to do any more.
        begin = self._clock()
        more = self._serve(0)
        while True:
            passed = self._clock() - begin
            if not 0 <= passed < ms:
                return 0  # the time is over, or the clock was set meanwhile: ask the scheduler again
            if passed >= self._awake_ms or not (more or self._busy()):
                return ms - passed
            more = self._serve(0 if more else min(ms, self._awake_ms) - passed)


class Deep(Light):
    """Deep sleep: the board starts anew at each wake-up (an ESP8266 needs GPIO16 wired to RST). Make it when all tasks
    are there: it takes over their plans, failures and disabled marks from the RTC's memory (an ESP8266 has 492 bytes,
    about 12 tasks) or the file `path`, which is written at each sleep where that memory is missing or too small.

    before() is called when sleep is decided, to say `sleeping` and to disconnect. Below `least_ms` sleep is light, and
    of at most `longest_ms`. A run that a crash cut short is done again.
    """

    def __init__(self, scheduler, now, serve, busy, path, before=None, least_ms=5000, awake_ms=3000, longest_ms=_HOUR):
        super().__init__(self.clock, serve, busy, awake_ms, longest_ms)
        self._scheduler = scheduler
        self._now = now
        self._path = path
        self._before = before
        self._least_ms = least_ms
        self._shift = 0
        self._memory = getattr(getattr(_machine(), "RTC", _nothing)(), "memory", None)
        self._sleep = getattr(_machine(), "deepsleep", None)
        saved = self._load()
        if saved:
            # A clock that lost the time goes on where the sleep should have ended, so that the pace is kept.
            if not now() >> _COUNTS:
                self._shift = saved[1] - now()
            _restore(scheduler.tasks, saved)

    def clock(self):
        """`now()`; while that only counts from the start, continued from before the sleep."""
        now = self._now()
        return now if now >> _COUNTS else now + self._shift

    def wait(self, ms):
        """Serve the link; sleep deeply for the rest of `ms` when that is worth it."""
        self._served(ms)
        if not self._scheduler.tasks:
            return  # the program is to end
        # What was heard meanwhile may have changed the tasks, and a plan that was not made cannot be kept.
        now = self.clock()
        wake = self._scheduler.next_wake(now)
        left = _HOUR if wake is None else wake - now
        if left < self._least_ms or not self._sleep:
            return super().wait(max(0, left))
        wake = now + left
        if self._before:
            self._before()
        now = self.clock()
        left = max(10, min(wake - now, _HOUR))
        self._save(now + left)
        self._sleep(left)

    def _load(self):
        import json

        try:
            kept = self._memory and self._memory()
            saved = json.loads(kept) if kept else late.call("store", "read", self._path, None)
        except ValueError:
            return None  # somebody else's
        return saved if isinstance(saved, list) and saved[:1] == [_MARK] else None

    def _save(self, wake):
        import json

        # Relative to the wake-up: short numbers.
        value = [_MARK, wake]
        for task in self._scheduler.tasks:
            value.append(
                [task.name, task.interval, (task.multiple or wake) - wake, (task.next or wake) - wake]
                + [task.failures, task.disabled]
            )
        if self._memory:
            try:
                self._memory(json.dumps(value, separators=(",", ":")).encode())
                return
            except ValueError:  # too long
                self._memory(b"")
        late.call("store", "write", self._path, value)


def _restore(tasks, saved):
    entries = saved[2:]
    for task in tasks:
        for entry in entries:
            if entry[:2] == [task.name, task.interval]:
                task.multiple, task.next = saved[1] + entry[2], saved[1] + entry[3]
                if entry[4]:
                    task.failures = entry[4]
                if entry[5]:
                    task.disabled = True
                entries.remove(entry)
                break


def reasons(node):
    """The busy() of a node: true while it has a reason to stay awake a little longer."""
    return lambda: bool(not node.link.connected or node.link.unacked or len(node.outbox) or node.job)


def _machine():
    try:
        import machine
    except ImportError:  # CPython
        machine = None
    return machine


def _nothing():
    return None


def _pause(ms):
    time.sleep_ms(ms) if hasattr(time, "sleep_ms") else time.sleep(ms / 1000)
