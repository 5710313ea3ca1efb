"""Runs on CPython and MicroPython, argument: ports of the servers of test_link_time.py, {how they answer: port}."""
# ruff: noqa: PT018 (plain asserts: MicroPython has no pytest)

import json
import sys
import time

ports = json.loads(sys.argv[1])
written = []


class RTC:
    def datetime(self, value):
        written.append(value)


class Machine:
    pass


Machine.RTC = RTC
sys.modules["machine"] = Machine

from esp_node import clock, ntp  # noqa: E402 (after the machine is there)


def sync(how):
    return ntp.sync([["127.0.0.1", ports[how]]])


def refused(how, kind, words):
    began = clock.mono_ms()
    was = clock.age_ms() is None or clock.unix_ms() - clock.mono_ms()
    said = None
    try:
        sync(how)
    except kind as error:
        said = str(error)
    assert said is not None and words in said, (how, said)
    assert clock.mono_ms() - began < 1000, how
    assert was == (clock.age_ms() is None or clock.unix_ms() - clock.mono_ms()), how


refused("silent", OSError, "")
refused("kiss", ValueError, "refuses: RATE")
refused("mode", ValueError, "not synchronised, or no server")
refused("alarm", ValueError, "not synchronised")
refused("zero", ValueError, "no time")
refused("backwards", ValueError, "no time")
refused("1999", ValueError, "between 2024 and 2100")
refused("short", OSError, "")
refused("other nonce", OSError, "")
refused("closed", OSError, "")
assert clock.age_ms() is None and not written

here = clock.unix_ms()
change = sync("hour")  # an hour ahead
assert abs(change - 3600000) < 100, change
assert abs(clock.unix_ms() - here - 3600000) < 1000
stamp = time.gmtime(clock.unix_ms() // 1000)
assert written[-1][:3] == stamp[:3] and abs(written[-1][4] * 60 + written[-1][5] - stamp[3] * 60 - stamp[4]) <= 1
assert -3600100 < ntp.sync(["unused", ["127.0.0.1", ports["noise"]]], 5) < -3599900  # right, after a lot of noise
refused("kiss", ValueError, "RATE")
late = sync("late")  # 300 ms on the way, of which 200 inside of the server
assert abs(late) < 100, late
sync("2040")
assert time.gmtime(clock.unix_ms() // 1000)[0] == 2040 and written[-1][0] == 2040
print("ok")
