"""Runs on CPython and MicroPython: frame_ms and values, whichever comes first; 0 is the
wildcard."""
# ruff: noqa: PT017, PT018 (plain asserts: MicroPython has no pytest)

from esp_node.frames import Frames, sample_interval


def feed(frame_ms, values, step, count):
    frames = Frames(frame_ms, values)
    out = []
    for i in range(count):
        out += frames.add(1000 + i * step, i)
    return out


assert feed(0, 0, 10, 3) == [[0, 1000, [0]], [1, 1010, [1]], [2, 1020, [2]]]
assert feed(0, 2, 10, 5) == [[0, 1000, [0, 1]], [1, 1020, [2, 3]]]
assert feed(30, 0, 10, 7) == [[0, 1000, [0, 1, 2]], [1, 1030, [3, 4, 5]]]
assert feed(100, 2, 10, 4) == [[0, 1000, [0, 1]], [1, 1020, [2, 3]]]
assert feed(30, 10, 10, 4) == [[0, 1000, [0, 1, 2]]]  # the time is over before there are enough values
assert feed(10, 1, 20, 2) == [[0, 1000, [0]], [1, 1020, [1]]]
frames = Frames(1000, 0)
assert frames.add(5000, 1) == [] and frames.expire(5999) == [] and frames.expire(6000) == [[0, 5000, [1]]]
assert frames.add(7000, 2) == [] and frames.expire(100) == [[1, 7000, [2]]]  # the clock was set back
assert sample_interval(1000, 10) == 100 and sample_interval(0, 10) is None and sample_interval(1000, 0) is None
for wrong in (-1, 1.5, None):
    try:
        Frames(wrong, 0)
    except ValueError as error:
        assert str(error).startswith("frame_ms: must be")
    else:
        raise AssertionError(wrong)
print("ok")
