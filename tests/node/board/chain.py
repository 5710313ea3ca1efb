"""Runs on MicroPython: argument is a number of samples, which go from a sensor through mean(10) and a frame of 10 to a
publish. Prints {"rate": samples/s, "bytes": of the last frame} as JSON."""

import json
import sys
import time

from esp_node import late
from esp_node.framing import Framed

STREAMS = {
    "room": {"from": "probe", "steps": [{"step": "mean", "count": 10}], "send": "frame", "frame": {"values": 10}}
}


class Node:
    prefix = ""
    connected = True
    frames = 0

    def publish(self, topic, payload, retain, qos):
        self.frames += 1
        self.bytes = len(payload)


def sink(name, about):
    return Framed(node, name, about).add


node = Node()
node.link = node
sensors = {"probe": (("temp_c",), ("°C",), (1,))}
made = late.call("graph", "made", late.call("streams", "settled", STREAMS), sensors)
entry = late.call("chains", "joined", made, sensors, sink)["probe"]
values = [((i % 97) / 4,) for i in range(97)]
count = int(sys.argv[1])
start = time.ticks_us()
for i in range(count):
    entry(1700000000000 + i * 100, values[i % 97])
rate = count * 1000000 / time.ticks_diff(time.ticks_us(), start)
assert node.frames == count // 100
print(json.dumps({"rate": rate, "bytes": node.bytes}))
