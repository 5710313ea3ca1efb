"""Runs on CPython and MicroPython: frame_ms and values, whichever comes first; 0 is the wildcard. What is sent is what
msgpack would write."""
# ruff: noqa: PT017, PT018 (plain asserts: MicroPython has no pytest)

import gc

from esp_node.framing import Frames
from schema.pack import pack
from schema.unpack import unpack

T = 1700000000000
NAN = float("nan")


def made(frame_ms=0, values=0, digits=(0,), size=300):
    out = []
    frames = Frames(frame_ms, values, digits, size)

    def emit(payload):
        frame = unpack(bytes(payload))
        assert pack(frame) == bytes(payload)
        out.append(frame)

    frames.emit = emit
    return frames, out


def feed(frame_ms, values, step, count):
    frames, out = made(frame_ms, values)
    for i in range(count):
        frames.add(T + i * step, i)
    return [[number, base - T, samples] for number, base, samples in out]


def refused(problem, frames, ts, sample):
    try:
        frames.add(ts, sample)
    except ValueError as error:
        assert problem in str(error), error
    else:
        raise AssertionError("no ValueError: " + problem)


assert feed(0, 0, 10, 3) == [[0, 0, [0]], [1, 10, [1]], [2, 20, [2]]]
assert feed(0, 2, 10, 5) == [[0, 0, [0, 1]], [1, 20, [2, 3]]]
assert feed(30, 0, 10, 7) == [[0, 0, [0, 1, 2]], [1, 30, [3, 4, 5]]]
assert feed(100, 2, 10, 4) == [[0, 0, [0, 1]], [1, 20, [2, 3]]]
assert feed(30, 10, 10, 4) == [[0, 0, [0, 1, 2]]]  # the time is over before there are enough values
assert feed(10, 1, 20, 2) == [[0, 0, [0]], [1, 20, [1]]]

frames, out = made(1000)
frames.add(5000, 1)
frames.expire(5999)
assert out == []
frames.expire(6000)
frames.expire(9999)
assert out == [[0, 5000, [1]]]
frames.add(7000, 2)
frames.expire(100)  # the clock was set back
assert out[1:] == [[1, 7000, [2]]]

# Scaled whole numbers, per field; None stays, true stays; unscaled fields go as they are.
frames, out = made(0, 3, (2,))
for value in (21.56, -0.005, None):
    frames.add(T, value)
assert out == [[0, T, [2156, round(-0.5), None]]]
frames, out = made(0, 2, (1, 0, None, None))
frames.add(T, (21.57, True, 2.5, "on"))
frames.add(T + 1, (None, 7.4, None, "off"))
assert out == [[0, T, [[216, True, 2.5, "on"], [None, 7, None, "off"]]]]

# What cannot be sent is named, and the frame goes on as if it had not come.
frames, out = made(0, 2, (2,))
frames.add(T, 1)
for wrong in (NAN, float("inf"), -float("inf"), 1e308, "21", b"1", (1, 2)):
    refused("frame: cannot use ", frames, T, wrong)
frames.add(T, 2)
assert out == [[0, T, [100, 200]]]
frames, out = made(0, 2, (0, 0))
frames.add(T, (1, 2))
refused("frame: cannot use 3 values for 2 fields", frames, T, (1, 2, 3))
refused("frame: cannot use nan", frames, T, (1, NAN))
frames.add(T, (3, 4))
assert out == [[0, T, [[1, 2], [3, 4]]]]

# A full buffer is sent early, and a sample that never fits is refused.
frames, out = made(1000, 0, (None,), 40)
for i in range(9):
    frames.add(T + i, i / 2)
assert out == [[n, T + 2 * n, [n, n + 0.5]] for n in range(4)]
refused("is larger than the buffer of 40 bytes", frames, T + 10, "x" * 30)
frames.add(T + 20, 1.0)
frames.expire(T + 9999)
assert out[4:] == [[4, T + 8, [4.0]], [5, T + 20, [1.0]]]

# Long frames: the head of the array grows.
frames, out = made(0, 500, (0,), 2000)
for i in range(1000):
    frames.add(T + i, i)
assert out == [[n, T + 500 * n, list(range(500 * n, 500 * n + 500))] for n in (0, 1)]

if hasattr(gc, "mem_alloc"):
    frames = Frames(0, 100, (2,), 600)
    sent = []
    frames.emit = lambda payload: sent.append(len(payload))
    values = [0.1 * i for i in range(100)]
    for _ in range(3):
        gc.collect()
        gc.disable()
        before = gc.mem_alloc()
        for value in values:
            frames.add(T, value)
        spent = gc.mem_alloc() - before
        gc.enable()
    # What a sample costs are the floats of its scaling; on top, one frame's head.
    assert len(sent) == 3 and spent <= 100 * 64 + 600, spent
print("ok")
