"""`machine` of the virtual board, for MicroPython and CPython.

In real time machine.reset(), deepsleep() and a watchdog that is not fed kill the process, for whoever supervises it to
start it again: with the signals USR1, USR2 and ALRM, because on a board nothing can catch them either. The next start
knows the cause, the RTC's memory and its time by three files beside the board's description. In virtual time all
three raise Reset, and reset_cause() tells at once.
"""

import os
import sys

from esp_node.virtual import clock, state
from esp_node.virtual.pins import Pin as Pin

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5


_PARTS = {"I2C": "i2c", "SoftI2C": "i2c", "ADC": "adc", "TouchPad": "adc", "Encoder": "encoder"}


def __getattr__(name):
    # The larger parts are loaded when they are asked for: tests run in a small heap.
    module = "esp_node.virtual." + _PARTS.get(name, "")
    if name not in _PARTS or (name == "Encoder" and not board_has_encoders()):
        raise AttributeError(name)
    __import__(module)
    return getattr(sys.modules[module], name)


def board_has_encoders():
    from esp_node.virtual import board

    return board.encoders


class Reset(SystemExit):
    """The processor stops here and begins anew."""


def reset():
    _stop(HARD_RESET, "USR1")


def soft_reset():
    _stop(SOFT_RESET, "USR1")


def reset_cause():
    return state.cause


def deepsleep(time_ms=0):
    """Sleep (real time: in the process), then begin anew. Without a time: until somebody presses reset."""
    if clock.real and not time_ms:
        while True:
            clock.sleep(3600000000)
    from esp_node.virtual import board

    if board.skips_deepsleep:
        clock.set_unix_us(clock.unix_us() + time_ms * 1000)
    else:
        clock.sleep(time_ms * 1000)
    _stop(DEEPSLEEP_RESET, "USR2")


slept_ms = 0  # lightly, since the start


def lightsleep(time_ms=0):
    global slept_ms
    slept_ms += time_ms
    clock.sleep(time_ms * 1000)


def idle():
    clock.sleep(1000)


def unique_id():
    return state.unique_id


_frequency = 160000000


def freq(hz=None):
    global _frequency
    if hz is None:
        return _frequency
    if hz not in (80000000, 160000000, 240000000):
        raise ValueError("frequency must be 80MHz, 160MHz or 240MHz")
    _frequency = hz


def disable_irq():
    return 0


def enable_irq(state):
    pass


def time_pulse_us(pin, pulse_level, timeout_us=1000000):
    """us that the pin stays at `pulse_level`; -2: did not get there within the time-out, -1: did not leave it."""
    return clock.quiet(_time_pulse, pin.line, pulse_level, timeout_us)


def _time_pulse(line, level, timeout):
    if not _wait(line, level, timeout):
        return -2
    start = clock.now_us
    return clock.now_us - start if _wait(line, 1 - level, timeout) else -1


def _wait(line, level, timeout):
    end = clock.now_us + timeout
    while line.level != level:
        if not clock.step(end):
            return line.level == level
    return True


class RTC:
    """Wall clock, and 2048 bytes that outlast everything but a power cut."""

    def datetime(self, fields=None):
        from esp_node.virtual.clock import host

        if fields is None:
            now = clock.unix_us()
            t = host.gmtime(now // 1000000)
            return (t[0], t[1], t[2], t[6], t[3], t[4], t[5], now % 1000000)
        year, month, day, _, hour, minute, second, _ = fields
        clock.set_unix_us((_days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second) * 1000000)

    def memory(self, data=None):
        if data is None:
            return state.memory
        if len(data) > 2048:
            raise ValueError("buffer too long")
        state.remember(bytes(data))


def _days(year, month, day):
    # Days since 1970: March begins the year, so that the leap day is its last.
    year -= month < 3
    month = (month + 9) % 12
    return year * 365 + year // 4 - year // 100 + year // 400 + (month * 153 + 2) // 5 + day - 719469


class WDT:
    """Ends everything when feed() does not come within `timeout` ms. There is no way to stop it."""

    def __init__(self, id=0, timeout=5000):
        self._timeout_us = timeout * 1000
        self.feed()
        if clock.real:
            import _thread

            _thread.start_new_thread(self._guard, (clock.host_us,))
        else:
            clock.at(self._until, self._look)

    def feed(self):
        self._until = (clock.host_us() if clock.real else clock.now()) + self._timeout_us

    def _look(self, _):
        if clock.now_us >= self._until:
            _stop(WDT_RESET, "ALRM")
        clock.at(self._until, self._look)

    def _guard(self, host_us):
        # A thread of its own, because a node that hangs asks nobody for the time. It only sleeps and compares: the
        # Unix port's threads may not allocate beside each other.
        while host_us() < self._until:
            clock.host_sleep(20000)
        os.system(state.bite)


def _stop(cause, signal):
    state.end(cause)
    if clock.real:
        os.system("kill -%s $PPID" % signal)
    raise Reset


if __name__ == "machine":  # found on the path of a live node
    import time  # noqa: F401 (starts the board)
