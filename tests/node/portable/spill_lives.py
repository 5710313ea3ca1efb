"""Runs on CPython and MicroPython: random lives of an outbox with a spill file, against a model of the commander: power
cuts, torn segments, a full flash, messages lost on the way. No number twice; what is not stored is rightly declared."""
# ruff: noqa: PT018 (plain asserts: MicroPython has no pytest)

import gc
import os
import random

from _spill import FOLDER, SECTOR, boot, clean, names, segments, size

_ACTIONS = 220  # the model remembers every event: more would not fit a 64 KB heap


def torn(folder_names):
    """The newest segment, cut off where a power cut may have left it."""
    last = [name for name in names() if name not in folder_names and "-" in name and "." not in name]
    for name in last:
        with open(FOLDER + "/" + name, "rb") as file:
            data = file.read()
        with open(FOLDER + "/" + name, "wb") as file:
            file.write(data[: random.getrandbits(12) % len(data)])
            if random.getrandbits(1):  # flash reads as zeros or as what was there before
                file.write(b"\0" * 50 if random.getrandbits(1) else os.urandom(50))
    return last


def held(box):
    found = {item[0] for item in box.queue}
    for first, last in segments():
        for seq in range(first, last + 1):
            found.add(seq)
    return found


# Random events, crashes, marks and losses against a model of the commander.
lives = 0
for seed in range(40):
    random.seed(seed)
    gc.collect()  # the model's own tables grow
    box = boot(3 * SECTOR, 6 + random.getrandbits(4), 300 + random.getrandbits(10))
    made, arrived, excused, gaps, mark, newest = {}, set(), set(), [], 0, 0
    for now in range(_ACTIONS + 20):
        action = random.getrandbits(4) if now < _ACTIONS else (8, 13, 14, 15)[now % 4]
        if action < 8:
            before, dropped, files = held(box), box.dropped, names()
            seq, payload = box.seq + 1, b"%d " % now + b"x" * random.getrandbits(9)
            assert box.put("tele/x", payload)
            assert seq > newest, (seed, "a number given twice")
            newest = seq
            made[seq] = now, len(payload)
            gone = {one for one in before | {seq} if one > box.mark} - held(box)
            # A hole inside a segment is damage of before: excused already.
            assert len(gone) == box.dropped - dropped, (seed, gone)
            excused |= gone
            if not random.getrandbits(4) and len(names()) > len(files):
                for name in torn(files):
                    first, _, last = name.partition("-")
                    for one in range(int(first), int(last) + 1):
                        excused.add(one)
                action = 12
        elif action < 12:
            for _ in range(random.getrandbits(4) if now < _ACTIONS else 10000):
                item = box.take()
                if item is None:
                    break
                if item[0] > mark:
                    at, length = made[item[0]]
                    assert item[1:] == ("tele/x", (b"%d " % at + b"x" * 512)[:length]), (seed, item)
                for one in made if item[0] == 0 else ():
                    if mark < one and item[2][0] <= one <= item[2][1]:
                        assert one in arrived or one in excused, (seed, "declared as lost", one)
                if now >= _ACTIONS or random.getrandbits(3):  # some are lost on the way
                    if item[0]:
                        arrived.add(item[0])
                    else:
                        gaps.append(item[2])
        elif action == 13:
            while mark + 1 in arrived or any(first <= mark + 1 <= last for first, last, _ in gaps):
                mark = max([mark + 1] + [last for first, last, _ in gaps if first <= mark + 1])
            gaps = [gap for gap in gaps if gap[1] > mark]
            for one in list(made):
                if one <= mark:
                    arrived.discard(one)
                    del made[one]
            excused = {one for one in excused if one > mark}
            box.stored(mark)
        elif action == 14:
            box.tick(now * 100000)
        elif action == 15:
            box.rewind()
        if action == 12 and not random.getrandbits(1):
            excused |= {item[0] for item in box.queue}
            if not random.getrandbits(2):
                before = held(box)
                box.close()
                excused |= before - held(box)  # the flash was full
            if not random.getrandbits(2):  # the cut came before the old name was away
                open(FOLDER + "/" + box.stream + ".1", "wb").close()
            old = box.stream
            box = boot(3 * SECTOR, 6 + random.getrandbits(4), 300 + random.getrandbits(10))
            assert box.stream == old
            lives += 1
        assert len(segments()) <= 3 and all(size(name) <= SECTOR for name in names())
    assert mark == box.seq and segments() == [], (seed, mark, box.seq, segments())
    clean()
assert lives > 25, lives
print("ok")
