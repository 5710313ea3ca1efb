"""Runs on CPython and MicroPython: what is queued leaves only behind the mark, or as a declared
gap."""
# ruff: noqa: PT018 (plain asserts: MicroPython has no pytest)

import random

from esp_node.outbox import Outbox

box = Outbox("s", events=3, size=1000)
for i in range(5):
    box.put("evt/x", b"%d" % (i + 1))
assert len(box) == 3 and box.dropped == 2 and box.gap == [1, 2]
assert box.take() == (0, None, [1, 2])
assert [box.take()[0] for _ in range(3)] == [3, 4, 5] and box.take() is None
box.stored(4)
assert len(box) == 1 and box.gap is None and box.take() is None
box.stored(99)  # a mark beyond what was ever sent is not believed
assert len(box) == 1
box.tick(0)
box.tick(4999)
assert box.take() is None
box.tick(5000)  # the mark stands still: again
assert box.take() == (5, "evt/x", b"5")
box.tick(6000)
box.tick(15999)
assert box.take() is None  # ever slower
box.tick(16000)
assert box.take()[0] == 5
box.rewind()
assert box.take()[0] == 5
box.stored(5)
assert len(box) == 0 and box.held == 0 and box.take() is None

small = Outbox("s", events=100, size=10)
small.put("a", b"123456")
small.put("a", b"123456")
assert len(small) == 1 and small.gap == [1, 1]

# Whatever happens on the way: each event is stored, still held, or inside the gap.
for seed in range(60):
    random.seed(seed)
    box = Outbox("s", events=8, size=200)
    arrived, gone, mark = set(), 0, 0
    for now in range(300):
        action = random.getrandbits(3)
        if action < 3:
            box.put("evt/x", b"x" * random.getrandbits(5))
        elif action < 6:
            item = box.take()
            if item and random.getrandbits(2):  # a quarter is lost on the way
                if item[0]:
                    arrived.add(item[0])
                else:
                    gone = max(gone, item[2][1])
        elif action == 6:
            while mark + 1 in arrived or mark + 1 <= gone:
                mark += 1
            box.stored(mark)
        else:
            box.tick(now * 10000)
        first = box.queue[0][0] if box.queue else box.seq + 1
        gap_to = box.gap[1] if box.gap else 0
        assert first - 1 <= max(box.mark, gap_to), seed
        assert box.held == sum(len(item[2]) for item in box.queue) and box.held <= 200
print("ok")
