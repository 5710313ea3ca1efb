"""Runs on MicroPython: heap that each module takes, with its names and what it loads beside it, in the order given."""

import gc
import json
import sys

figures = {}
for name in sys.argv[1:]:
    gc.collect()
    before = gc.mem_alloc()
    __import__(name)
    gc.collect()
    figures[name] = gc.mem_alloc() - before
print(json.dumps(figures))
