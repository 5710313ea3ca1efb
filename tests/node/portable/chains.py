"""Runs on CPython and MicroPython: from `streams` of a configuration to values that come out at their ends; the
heap holds the steps and nothing of how they were built."""
# ruff: noqa: PT017, PT018 (plain asserts: MicroPython has no pytest)

import gc
import sys

from _chains import build

from esp_node import late
from esp_node.framing import Framed
from schema.unpack import unpack

T = 1700000000000
SENSORS = {
    "dht22": (("temp_c", "humidity"), ("°C", "%"), (1, 1)),
    "mhz19": (("ppm",), ("ppm",), (0,)),
    "ds18b20": (("temp_c",), ("°C",), (2,)),
}
PICK = {"step": "select", "fields": ["temp_c"]}


class Node:
    """A node and its link, as far as streams use them."""

    prefix = ""
    connected = True

    def __init__(self):
        self.link = self
        self.framed = []
        self.published = []

    def publish(self, topic, payload, retain, qos):
        self.published.append((topic, unpack(bytes(payload))))


def built(streams):
    node = Node()

    def sink(name, about):
        if about["send"] == "frame":
            return Framed(node, name, about).add
        return lambda ts, value: node.published.append((name, ts - T, value))

    return build(streams, SENSORS, sink), node.published


def announced(streams, jobs):
    """What the birth says of these streams; `jobs` are changed to what they need."""
    told = {"parts": {}, "streams": {}}
    late.call(*late.call(*late.call("streams", "settle", Node(), streams, SENSORS, jobs, told)))
    return told


# A chain to a frame, a stream that reads it, one that reads a sensor as it is, and one that joins.
STREAMS = {
    "room": {
        "from": "dht22",
        "steps": [PICK, {"step": "mean", "count": 4}],
        "send": "frame",
        "frame": {"values": 2},
    },
    "fahrenheit": {
        "from": "room",
        "steps": [{"step": "map", "expression": ["+", ["*", "x", 1.8], 32], "field": "temp_f"}],
    },
    "raw": {"from": "dht22", "latest": True},
    "alone": {"from": "mhz19", "send": "none"},
    "both": {"from": ["alone", "raw"], "steps": [{"step": "join", "frame_ms": 100}]},
}
entries, out = built(STREAMS)
assert sorted(entries) == ["dht22", "mhz19"]
for i in range(8):
    entries["dht22"](T + i * 10, (20 + i, 50.5))
entries["mhz19"](T + 90, (400,))
assert [item for item in out if item[0] == "data/room"] == [("data/room", [0, T + 30, [2150, 2550]])], out
assert [item for item in out if item[0] == "fahrenheit"] == [("fahrenheit", 30, 70.7), ("fahrenheit", 70, 77.9)]
assert [item[1:] for item in out if item[0] == "raw"] == [(i * 10, (20 + i, 50.5)) for i in range(8)]
assert [item for item in out if item[0] == "both"] == [("both", 90, (400, 27, 50.5))], out
entries = out = None
assert announced(STREAMS, {}) == {
    "parts": {
        "room": {"temp_c": "°C"},
        "fahrenheit": {"temp_f": ""},
        "raw": {"temp_c": "°C", "humidity": "%"},
        "both": {"ppm": "ppm", "temp_c": "°C", "humidity": "%"},
    },
    "streams": {"room": {"fields": ["temp_c"], "units": ["°C"], "scale": [0.01], "frame_ms": 0, "values": 2}},
}
same = {"s": {"from": ["ds18b20", "dht22"], "steps": [{"step": "join", "frame_ms": 1000}]}}
assert sorted(announced(same, {})["parts"]["s"]) == ["dht22_temp_c", "ds18b20_temp_c", "humidity"]
part = {"step": "map", "expression": ["/", "x", 10000], "field": "co2_pct", "unit": "%"}
assert announced({"p": {"from": "mhz19", "steps": [part]}}, {})["parts"] == {"p": {"co2_pct": "%"}}
assert "schema.units" not in sys.modules

# A frame that says how many values it holds in which time has its sensor read that often.
frame = {"r": {"from": "mhz19", "send": "frame", "frame": {"frame_ms": 500}}}
jobs = {("mhz19", 5000, 0): []}
assert announced(frame, jobs)["streams"] == {
    "r": {"fields": ["ppm"], "units": ["ppm"], "scale": [1], "frame_ms": 500, "values": 0}
}
assert list(jobs) == [("mhz19", 5000, 0)] and len(jobs["mhz19", 5000, 0]) == 1
frame["r"]["frame"]["values"] = 10
jobs = {("mhz19", 5000, 0): []}
announced(frame, jobs)
assert len(jobs["mhz19", 50, 0]) == 1 and not jobs["mhz19", 5000, 0]

# A value that one chain cannot use reaches the others, and the error says where it was.
entries, out = built({"a": {"from": "mhz19", "steps": [{"step": "max", "count": 2}]}, "b": {"from": "mhz19"}})
entries["mhz19"](T, (1,))
try:
    entries["mhz19"](T + 1, (float("nan"),))
except ValueError as error:
    assert str(error) == "a.max: cannot use nan", error
else:
    raise AssertionError("NaN went through")
entries["mhz19"](T + 2, (3,))
assert out[0] == ("b", 0, 1) and sorted(out[2:]) == [("a", 2, 3), ("b", 2, 3)], out


if sys.implementation.name == "micropython":
    assert not [name for name in sys.modules if name.startswith("esp_node.steps") or name == "esp_node.expression"]
    entries = out = jobs = None
    one = {"m": {"from": "mhz19", "steps": [{"step": "mean", "count": 10}]}}

    def spent(streams):
        gc.collect()
        before = gc.mem_alloc()
        kept = built(streams)
        gc.collect()
        return gc.mem_alloc() - before, kept

    first, kept = spent(one)
    assert first < 3200, first  # bytes of 64-bit objects: step, its class, the window's and the ends of the chain
    del kept
    one["m"]["steps"] += [{"step": "kalman", "process_variance": 1, "measurement_variance": 4}, {"step": "delta"}]
    three, kept = spent(one)
    assert three - first < 1900, (first, three)
print("ok")
