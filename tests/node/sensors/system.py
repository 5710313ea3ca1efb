"""System: free memory, uptime, the reset's cause by name, free flash; with a `machine` and without."""

import gc
import os
import sys

from _rig import refuses, time

from esp_node.sensors import system

machine = sys.modules["machine"]
sensor = system.create(None, {})
free, uptime, cause, flash = sensor.get()
assert free is None if not hasattr(gc, "mem_free") else 0 < free < 65536
status = os.statvfs("/")
assert cause == "pwron"
assert flash % status[0] == 0
assert flash > 0
time.sleep(3600)
assert sensor.get()[1] == uptime + 3600
for end, cause in ((machine.reset, "hard"), (machine.soft_reset, "soft"), (machine.deepsleep, "deepsleep")):
    try:
        end()
    except SystemExit:
        assert system.create(None, {}).get()[2] == cause
    else:
        raise AssertionError(cause)
machine.reset_cause = lambda: 17
assert system.create(None, {}).get()[2] == "17"
del machine.reset_cause
assert system.create(None, {}).get()[2] is None
sys.modules["machine"] = None
assert system.create(None, {}).get()[2] is None
sys.modules["machine"] = machine


def no_statvfs(path):
    raise OSError(2)


system.os = type("Os", (), {"statvfs": staticmethod(no_statvfs)})
assert sensor.get()[3] is None
refuses(system, {"pin": 1}, "pin", "allowed: none")
print("ok")
