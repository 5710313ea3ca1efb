"""Runs on MicroPython: argument is a number of samples, which go from a sensor through mean(10) and a frame of 10 to a
publish. Prints {"rate": samples/s, "bytes": of the last frame} as JSON."""

import json
import sys
import time

from esp_node import chains

STREAMS = {
    "room": {"from": "probe", "steps": [{"step": "mean", "count": 10}], "send": "frame", "frame": {"values": 10}}
}
sizes = []


def sink(name, about):
    frames = chains.frames(about)
    frames.emit = lambda payload: sizes.append(len(payload))
    return frames.add


entry = chains.build(STREAMS, {"probe": (("temp_c",), ("°C",), (1,))}, sink)["probe"]
values = [((i % 97) / 4,) for i in range(97)]
count = int(sys.argv[1])
start = time.ticks_us()
for i in range(count):
    entry(1700000000000 + i * 100, values[i % 97])
rate = count * 1000000 / time.ticks_diff(time.ticks_us(), start)
assert len(sizes) == count // 100
print(json.dumps({"rate": rate, "bytes": sizes[-1]}))
