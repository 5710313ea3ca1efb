"""Runs on CPython and MicroPython: the outbox with its spill file through power cuts, full flash and lost messages."""
# ruff: noqa: PT018 (plain asserts: MicroPython has no pytest)

from _spill import FOLDER, SECTOR, boot, clean, names, segments, size


def taken(box):
    item, found = box.take(), []
    while item:
        found.append(item)
        item = box.take()
    return found


def same(box, seqs):
    return all(box.take()[0] == seq for seq in seqs) and box.take() is None


# A broker that is away for long: sectors are filled, each event is written once, and all come back in order.
box = boot(most=64 * SECTOR, events=50, memory=4000)
for i in range(300):
    assert box.put("tele/x", b"payload %0203d" % i)
assert box.dropped == 0 and len(box) == 300 and box.held < 4000
assert box.spill.segments <= 300 * 224 // SECTOR + 3, box.spill.segments
assert all(size(name) <= SECTOR for name in names())
assert same(box, range(1, 301))
box.rewind()
while box.take()[0] < 277:
    pass
assert box.take() == (278, "tele/x", b"payload %0203d" % 277)
box.stored(150)
assert box.spill.segments < 10 and same(box, range(279, 301))
stream = box.stream

# An orderly restart loses nothing, not even a number.
box.close()
box = boot()
assert box.stream == stream and box.seq == 300
assert box.take() is None  # first it wants to hear the mark
box.stored(160)
assert same(box, range(161, 301))
box.stored(300)
assert segments() == [] and len(box) == 0 and box.take() is None

# A power cut loses what was in memory; the numbers that may have been used are declared.
for i in range(5):
    box.put("tele/x", b"%d" % i)
box = boot()
assert box.stream == stream and box.seq >= 305
reserved = box.seq
box.put("tele/x", b"after")
box.stored(302)  # two of the five had been sent
assert taken(box) == [(0, None, [303, reserved, "restart"]), (reserved + 1, "tele/x", b"after")]
# A commander that never says anything: after a while it is told all the same.
box = boot()
box.put("tele/x", b"again")
box.rewind()
box.tick(0)
assert box.take() is None
box.tick(5000)
assert box.take() == (0, None, [1, box.seq - 1, "restart"]) and box.take()[2] == b"again"
clean()

# One wrong bit, and flash that reads as zeros: the rest of that segment is declared, all else arrives.
box = boot(events=10, memory=4000)
for i in range(33):
    box.put("tele/x", b"payload %d" % i)
assert segments() == [[1, 11], [12, 22], [23, 33]]
for name, at, damage in (("1-11", 60, b"?"), ("12-22", 0, b"\0" * 100)):
    with open(FOLDER + "/" + name, "r+b") as file:
        file.seek(at)
        file.write(damage)
found = taken(box)
assert [item[0] for item in found[:4]] == [1, 2, 0, 23] and len(found) == 14, found
assert found[2][2][:2] == [3, 22] and box.spill.faults == 2
clean()

# A flash that takes nothing: no number is used that it does not know of; what was written is no loss.
box = boot()
while len(box) < 30:
    box.put("tele/x", b"x" * 200)
before = segments()
box.spill.folder = FOLDER + "/no-such-folder/"
while box.put("tele/x", b"x" * 200):
    assert box.seq < 300
assert box.spill.faults > 1 and segments() == before
last = box.seq
box.spill.folder = FOLDER + "/"
assert box.put("tele/x", b"it works again") and box.seq == last + 1
reserved = max(int(name.partition(".")[2]) for name in names() if "." in name)
assert boot().seq == reserved > last
clean()
print("ok")
