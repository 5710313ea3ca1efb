"""Runs on CPython and MicroPython: the two clocks."""
# ruff: noqa: PT018 (plain asserts: MicroPython has no pytest)

from esp_node import clock, ntp


class Board:
    """One that woke up in 1970, or in 2000, and does not know the time before it hears it."""

    monotonic_ns = staticmethod(getattr(clock.time, "monotonic_ns", None))

    @staticmethod
    def time_ns():
        return 5000000000


steady = clock.mono_ms()
before = clock.unix_ms()
assert before > 1704067200000 and clock.age_ms() is None  # this machine knows the time
real, clock.time = clock.time, Board
assert clock.unix_ms() == 0
assert ntp.set_clock(before) is None
clock.time = real
change = ntp.set_clock(before + 5000)
assert 4900 <= change <= 5000, change
assert 0 <= clock.unix_ms() - before - 5000 < 1000 and 0 <= clock.age_ms() < 1000
assert 0 <= clock.mono_ms() - steady < 1000  # nothing sets the steady one
assert -5100 < ntp.set_clock(clock.unix_ms() - 5000) <= -4900
for wrong in (0, 1704067199999, 4102444800000, 2**62):
    try:
        ntp.set_clock(wrong)
    except ValueError:
        continue
    raise AssertionError(wrong)
assert abs(clock.unix_ms() - before) < 1000

# The ticks of 30 bits wrap without a trace.
if hasattr(clock.time, "ticks_ms"):
    now = [2**30 - 500]
    clock.ticks_ms = lambda: now[0] % 2**30
    clock.ticks_diff = lambda new, old: (new - old + 2**29) % 2**30 - 2**29
    clock.mono_ms()
    first = clock.mono_ms()
    for _ in range(400):
        now[0] += 2**28 + 1
        clock.mono_ms()
    assert clock.mono_ms() - first == 400 * (2**28 + 1)  # 3.4 years

print("ok")
