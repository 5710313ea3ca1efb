"""Runs on CPython and MicroPython: what is queued leaves only behind the mark, or as a declared gap."""
# ruff: noqa: PT018 (plain asserts: MicroPython has no pytest)

import random

from esp_node.outbox import Outbox

box = Outbox("s", events=3, size=1000)
for i in range(5):
    assert box.put("evt/x", b"%d" % (i + 1))
assert len(box) == 3 and box.dropped == 2
assert box.take() == (0, None, [1, 2, "queue full"])
assert [box.take()[0] for _ in range(3)] == [3, 4, 5] and box.take() is None
box.stored(4)
assert len(box) == 1 and box.take() is None
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
box.put("evt/x", b"6")
box.stored(3)  # a commander restored from a backup waits for what was deleted here
assert box.take() == (0, None, [4, 5, "queue full"]) and box.take()[0] == 6

small = Outbox("s", events=100, size=10)
small.put("a", b"123456")
small.put("a", b"123456")
assert len(small) == 1 and small.take() == (0, None, [1, 1, "queue full"])

# Who hears no marks keeps the newest, and gives up nothing that was sent.
deaf = Outbox("s", events=3, hears_marks=False)
for i in range(10):
    deaf.put("evt/x", b"%d" % i)
    assert deaf.take() == (i + 1, "evt/x", b"%d" % i)
    deaf.tick(i * 10000)
assert len(deaf) == 3 and deaf.dropped == 0 and deaf.take() is None

# Whatever happens on the way: each event is stored, still held, or declared; and in the end nothing is missing.
for seed in range(60):
    random.seed(seed)
    box = Outbox("s", events=8, size=200)
    arrived, mark = set(), 0
    for now in range(330):
        action = random.getrandbits(3) if now < 300 else 4 + now % 4  # at last it is quiet
        if action < 3:
            box.put("evt/x", b"x" * random.getrandbits(5))
        elif action < 6:
            item = box.take()
            while item:
                if now >= 300 or random.getrandbits(2):  # a quarter is lost on the way
                    for seq in range(item[0] or item[2][0], (item[0] or item[2][1]) + 1):
                        arrived.add(seq)
                item = box.take() if now >= 300 else None
        elif action == 6:
            while mark + 1 in arrived:
                mark += 1
            box.stored(mark)
        else:
            box.tick(now * 10000)
        assert box.held == sum(len(item[2]) for item in box.queue) and box.held <= 200
        assert not box.queue or box.queue[-1][0] == box.seq
    assert mark == box.seq and len(box) == 0, seed
print("ok")
