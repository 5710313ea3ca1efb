"""Runs on CPython and MicroPython: the sleeping drivers on a board whose clock is virtual; deep sleep ends the program
and only the RTC's memory, or a file, goes on.
"""
# ruff: noqa: PT018, SIM105 (MicroPython has neither pytest nor contextlib)

import binascii
import os
import sys

from esp_node.scheduler import Scheduler

HOUR = 3600000
BOOT_MS = 700
START = 1790000000000 // HOUR * HOUR


class Board:
    """The module `machine` and the clock of a board. `capacity`: bytes of RTC memory, None for a board without one;
    `forgets`: deep sleep stops the clock.
    """

    def __init__(self, capacity=492, forgets=False):
        self.ms = START
        self.booted = None if not forgets else START
        self.kept = b""
        self.capacity = capacity
        self.slept = []
        if capacity is not None:
            self.RTC = lambda: self
            self.memory = self._memory
        sys.modules["machine"] = self

    def clock(self):
        return self.ms - (self.booted or 0)

    def _memory(self, data=None):
        if data is None:
            return self.kept
        if len(data) > self.capacity:
            raise ValueError("buffer too long")
        self.kept = bytes(data)

    def lightsleep(self, ms):
        self.slept.append(ms)
        self.ms += ms

    def deepsleep(self, ms):
        if len(self.slept) < 8:
            self.slept.append(ms)
        self.ms += ms + BOOT_MS
        if self.booted is not None:
            self.booted = self.ms - BOOT_MS
        raise SystemExit


def remove(path):
    try:
        os.remove(path)
    except OSError:
        pass


board = Board()
from esp_node.sleep import Deep, Light  # noqa: E402 (after the machine is there)

FILE = "/tmp/scheduler-sleep-" + str(binascii.hexlify(os.urandom(4)), "ascii") + ".json"

# Light sleep: the link comes first, as long as it has something to do, but for three seconds at most.
served = []
pending = [0]


def serve(ms):
    assert ms >= 0
    served.append(ms)
    board.ms += min(ms, 100)
    pending[0] -= 1


light = Light(board.clock, serve, lambda: pending[0] > 0)
for pending[0], wait, sleeps, calls in ((0, 5000, [5000], 1), (3, 5000, [4800], 3), (99, 5000, [2000], 31),
                                        (99, 1000, [], 11), (0, 0, [], 1), (0, 9 * HOUR, [HOUR], 1)):  # fmt: skip
    del board.slept[:], served[:]
    light.wait(wait)
    assert board.slept == sleeps and len(served) == calls, (wait, board.slept, served)

# The scheduler with it: awake only for its tasks.
ran = []
scheduler = Scheduler(print)
scheduler.every(60000, lambda: ran.append(board.ms % HOUR // 1000) or len(ran) < 6 or scheduler.tasks.clear())
scheduler.every(45000, lambda: ran.append(board.ms % HOUR // 1000))
board.ms, pending[0] = START, 0
scheduler.run_forever(board.clock, light.wait)
assert ran == [45, 60, 90, 120, 135, 180, 180][: len(ran)] and len(ran) >= 6, ran


def lives(board, count, tasks):
    """`count` lives of a program with tasks (name, interval, options) between deep sleeps: [(time in ms since START,
    name, multiple or failures)] of all runs.
    """
    ran = []

    def body(task):
        ran.append((board.ms - START, task.name, task.failures or task.multiple - board.clock()))
        if task.name == "broken":
            raise OSError(19)

    for _ in range(count):
        scheduler = Scheduler(lambda task, error: None)
        for name, interval, options in tasks:
            task = scheduler.every(interval, lambda: None, name, **options)
            task.run = lambda task=task: body(task)
        said = []
        sleep = Deep(scheduler, board.clock, lambda ms: None, lambda: False, FILE, lambda: said.append(1))  # noqa: B023
        try:
            scheduler.run_forever(sleep.clock, sleep.wait)
        except SystemExit:
            assert said == [1]
    return ran


MIX = (("a", 60000, {}), ("b", 90000, {}), ("broken", HOUR, {"disable_after": 5}))
EXPECTED = [(60, "a"), (90, "b"), (120, "a"), (180, "a"), (180, "b"), (240, "a"), (270, "b")]
for capacity in (492, None, 40):  # RTC memory; a file because there is none, or because it is too small
    remove(FILE)
    board = Board(capacity)
    if capacity == 40:
        board.kept = b'["sleep1",0]'  # of a time when it was enough
    ran = lives(board, 7, MIX)
    assert [(ms // 1000, name) for ms, name, _ in ran] == EXPECTED, (capacity, ran)
    assert all(ms % 1000 == BOOT_MS for ms, _, _ in ran)
    assert board.kept[:9] == (b'["sleep1"' if capacity == 492 else b""), board.kept
    assert board.slept[0] == 60000 and max(board.slept[1:]) <= 60000

    # Failures count on through the sleeps, and disabled stays disabled.
    ran = [entry for entry in lives(board, 130, MIX) if entry[1] == "broken"]
    assert [entry[2] for entry in ran[1:]] == [1, 2, 3, 4], ran
    assert ran[0][0] // 1000 == 3600 and ran[4][0] - ran[0][0] < 20000, ran

# Asleep for longer than planned: each policy as on a running board.
remove(FILE)
board = Board()
mix = (("skip", 60000, {}), ("once", 60000, {"missed": "once"}), ("all", 60000, {"missed": "all"}))
board.ms += 1000
lives(board, 1, mix)
board.ms += 150000
names = [name for _, name, _ in lives(board, 1, mix)]
assert names == ["once", "all", "all", "all"], names

# A run that came early is not done again after the sleep.
remove(FILE)
board = Board()
ran = lives(board, 4, (("a", 60000, {}), ("early", 70000, {"early": 0.25})))
ran = [(ms // 1000, name) for ms, name, _ in ran]
assert ran == [(60, "a"), (60, "early"), (120, "a"), (120, "early"), (180, "a")], ran  # its multiples: 60, 130, 200

# Two tasks of one name and interval keep their states apart.
remove(FILE)
board = Board()
ran = lives(board, 4, (("broken", 60000, {"disable_after": 1}), ("broken", 60000, {})))
assert [entry[2] for entry in ran] == [-BOOT_MS, -BOOT_MS, 1, 2, 3, 4, 5], ran

# A clock that starts at 0 with each life, and an alarm that an hour is too long for: the pace is kept all the same.
remove(FILE)
board = Board(forgets=True)
ran = lives(board, 13, (("rare", 3 * HOUR, {}),))
assert len(ran) == 4, ran
assert [ms // HOUR for ms, _, _ in ran] == [3, 6, 9, 12], ran
assert board.slept[:3] == [HOUR] * 3, board.slept

# What somebody else left in the memory does no harm.
for junk in (b"\xff\xfe", b"[]", b'{"a":1}', b'["other",1,2]'):
    board = Board()
    board.kept = junk
    assert len(lives(board, 2, MIX)) == 1
remove(FILE)
print("ok")
