"""Load: what this machine tells of itself. There is no device that could be absent."""
# ruff: noqa: PT018 (plain asserts: MicroPython has no pytest)

import gc

from _rig import refuses

from esp_node.sensors import load

sensor = load.create(None, {})
load1, load5, free = sensor.get()
with open("/proc/loadavg") as file:
    now = file.read().split(" ")
assert 0 <= load1 < 10000 and abs(load5 - float(now[1])) < 1
assert free is None if not hasattr(gc, "mem_free") else 0 < free < 64 * 1024


def no_proc(path):
    raise OSError(2)


load.open = no_proc  # a board has no /proc
assert sensor.get()[:2] == (None, None)
refuses(load, {"pin": 1}, "pin", "allowed: none")
print("ok")
