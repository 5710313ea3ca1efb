"""The rig's master (esp_node/mining) with the real firmware, on the bus of a Linux host (sentry/mining/i2c_bus.py):
jobs handed over and collected, and faults of the bus."""

import hashlib
import random
from collections.abc import Callable
from typing import Any

import pytest

from esp_node.mining.rig import Rig
from esp_node.mining.slave import Slave
from schema.errors import Invalid
from tests.avr.conftest import StartRig
from tests.avr.virtual import VirtualRig

ADDRESSES = [11, 12, 13]


class Mine:
    """A rig in simulated time whose every share is judged, and answered by the next job."""

    def __init__(self, wires: VirtualRig, difficulty: int = 10, pace: int = 0, in_hand: int = 2):
        self.wires = wires
        self.difficulty = difficulty
        self.in_hand = in_hand
        self.answers: dict[str, tuple[str, int]] = {}  # job -> last hash, nonce
        self.shares: list[tuple[int, str, bool]] = []  # address, job, whether it was right
        self.said: list[tuple[str, int]] = []
        self.alerts: dict[int, str | None] = {}
        self.random = random.Random(4)
        self.rig = Rig(wires.door(), self, pace, self.now_ms())

    # what the rig says

    def announce(self, slave: Slave) -> None:
        self.said.append(("ready", slave.address))
        for _ in range(self.in_hand - len(slave.jobs)):
            self.offer(slave)

    def gone(self, slave: Slave) -> None:
        self.said.append(("lost", slave.address))

    def alert(self, slave: Slave, text: str | None) -> None:
        self.alerts[slave.address] = text

    def log(self, level: str, text: str) -> None:
        self.said.append((text, 0))

    def share(self, slave: Slave, share: dict[str, Any]) -> None:
        right = self.answers[share["id"]][1] == share["nonce"]
        self.shares.append((slave.address, share["id"], right))
        slave.verdict({"id": share["id"], "word": "GOOD" if right else "BAD"}, self.now_ms())
        self.offer(slave)

    def offer(self, slave: Slave) -> dict[str, Any]:
        number = len(self.answers)
        last, nonce = hashlib.sha1(b"%d" % number).hexdigest(), self.random.randint(1, 100 * self.difficulty)
        self.answers[str(number)] = last, nonce
        target = hashlib.sha1(f"{last}{nonce}".encode()).hexdigest()
        offer = {"id": str(number), "last": last, "target": target, "difficulty": self.difficulty, "until": 0}
        slave.offer(offer, self.now_ms())
        return offer

    def now_ms(self) -> int:
        return self.wires.now_us() // 1000

    def run(self, until: Callable[[], bool], ms: int = 60_000) -> None:
        ends = self.now_ms() + ms
        while not until():
            self.rig.step(self.now_ms(), 1)
            due = min([each.due for each in self.rig.slaves.values()], default=0)
            now = self.now_ms()
            assert now < ends, (self.shares, self.said, self.alerts)
            self.wires.sleep(max(1, min(due - now, 1000)) * 1000)

    def mined(self, count: int) -> Callable[[], bool]:
        return lambda: len(self.shares) >= count

    def all_right_and_once(self) -> bool:
        jobs = [job for _, job, _ in self.shares]
        return all(right for *_, right in self.shares) and len(jobs) == len(set(jobs))


@pytest.fixture
def mine(rig: VirtualRig) -> Mine:
    return Mine(rig)


def test_three_slaves_mine(mine: Mine) -> None:
    mine.run(mine.mined(12))
    assert mine.all_right_and_once()
    assert {address for address, *_ in mine.shares} == set(ADDRESSES)
    assert sorted(mine.said) == [("ready", address) for address in ADDRESSES]
    slave = mine.rig.slaves[11]
    assert slave.chip() == "FA12000000000001"
    assert slave.accepted == slave.shares > 0
    assert 3000 < slave.hashes * 1_000_000 / slave.elapsed_us < 3400
    assert slave.faults == slave.stale == 0


def test_a_slave_is_never_idle_with_a_job_in_hand(start_rig: StartRig) -> None:
    mine = Mine(start_rig(1))
    mine.wires.ask("hashing")
    mine.run(mine.mined(12))
    (seen,) = mine.wires.ask("hashing")["slaves"]
    assert seen["begun"] >= 12
    # After a job that took so long, the next is in hand.
    assert max(gap for took, gap in seen["gaps_us"] if took > 100_000) < 15_000


def test_bytes_that_flip_cost_no_share(mine: Mine) -> None:
    for count in range(2, 20, 2):
        mine.run(mine.mined(count))
        mine.wires.fault("flip_write" if count % 4 else "flip_read", byte=count % 5, bit=count % 8)
    mine.run(mine.mined(22))
    assert mine.all_right_and_once()
    assert sum(slave.faults for slave in mine.rig.slaves.values()) > 0


def test_a_slave_that_is_reset_gets_its_jobs_again(mine: Mine) -> None:
    mine.run(mine.mined(6))
    hers = [job.id for job in mine.rig.slaves[12].jobs]
    mine.wires.fault("reset", slave=1)
    mine.run(mine.mined(15))
    assert mine.all_right_and_once()
    assert set(hers) <= {job for _, job, _ in mine.shares}
    assert ("lost", 12) not in mine.said


def test_an_unplugged_slave_is_told_lost_and_comes_back(start_rig: StartRig) -> None:
    mine = Mine(start_rig(2))
    mine.run(mine.mined(6))
    mine.wires.fault("unplug", slave=1)
    mine.run(lambda: ("lost", 12) in mine.said)
    assert mine.alerts[12]
    at_loss = len(mine.shares)
    mine.offer(mine.rig.slaves[12])  # one that was on its way changes nothing
    mine.run(mine.mined(at_loss + 6))
    assert {address for address, *_ in mine.shares[at_loss + 1 :]} == {11}
    mine.rig.drop(11)  # to simulate half a minute of its work would take long
    mine.wires.fault("plug", slave=1)
    mine.run(lambda: mine.said.count(("ready", 12)) == 2, ms=120_000)
    mine.run(lambda: mine.shares[-1][0] == 12)
    assert mine.alerts[12] is None
    assert mine.all_right_and_once()


def test_a_bus_held_low_stops_all_and_no_job_is_lost(mine: Mine) -> None:
    mine.run(mine.mined(6))
    mine.wires.fault("hold_sda")
    ends = mine.now_ms() + 400
    mine.run(lambda: mine.now_ms() > ends)
    mine.wires.fault("hold_sda", on=False)
    before = len(mine.shares)
    mine.run(mine.mined(before + 12), ms=120_000)
    assert mine.all_right_and_once()
    assert {address for address, *_ in mine.shares[before:]} == set(ADDRESSES)


def test_acknowledges_that_are_lost(mine: Mine) -> None:
    for count in range(2, 12, 2):
        mine.run(mine.mined(count))
        mine.wires.fault("drop_ack", count=2)
    assert mine.all_right_and_once()


def test_a_lost_job_that_has_not_begun_makes_room(start_rig: StartRig) -> None:
    mine = Mine(start_rig(1), in_hand=4)
    mine.run(lambda: 11 in mine.rig.slaves and len(mine.rig.slaves[11].jobs) == 4)
    slave = mine.rig.slaves[11]
    slave.verdict({"id": slave.jobs[-1].id, "word": "LOST"}, 0)
    assert len(slave.jobs) == 3
    mine.offer(slave)
    mine.run(mine.mined(1))
    assert slave.accepted == 1
    assert slave.refused == slave.lost == 0


def test_verdicts_that_never_come_fill_no_heap(start_rig: StartRig) -> None:
    mine = Mine(start_rig(1), difficulty=1)
    mine.run(lambda: 11 in mine.rig.slaves)
    mine.rig.slaves[11].verdict = lambda verdict, now: None
    mine.run(mine.mined(20))
    assert len(mine.rig.slaves[11]._sent) == 8


def test_pace_limits_the_hash_rate(start_rig: StartRig) -> None:
    mine = Mine(start_rig(1), pace=194)
    mine.run(mine.mined(2))
    slave = mine.rig.slaves[11]
    assert 185 < slave.hashes * 1_000_000 / slave.elapsed_us <= 194
    mine.wires.fault("reset", slave=0)  # which forgets it, until the master sees that it was
    mine.run(mine.mined(4))
    before = slave.hashes, slave.elapsed_us
    mine.run(mine.mined(6))
    assert 185 < (slave.hashes - before[0]) * 1_000_000 / (slave.elapsed_us - before[1]) <= 194


def test_more_jobs_than_it_takes_are_refused_and_known_ones_ignored(start_rig: StartRig) -> None:
    mine = Mine(start_rig(1), in_hand=4)
    mine.run(lambda: 11 in mine.rig.slaves and len(mine.rig.slaves[11].jobs) == 4)
    slave = mine.rig.slaves[11]
    job = slave.jobs[-1]
    slave.offer({**job.__dict__}, 0)
    assert len(slave.jobs) == 4
    with pytest.raises(Invalid, match="4 are in hand"):
        mine.offer(slave)
    del slave.jobs[-1]
    with pytest.raises(Invalid, match="must be from 1 to 655"):
        slave.offer({**job.__dict__, "id": "new", "difficulty": 656}, 0)
