"""What holds of the rig's master (esp_node/mining) in any order of offers, verdicts and faults, with the real firmware.

The master's own memory has to do: no job is offered again after a fault.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esp_node.mining.rig import Rig
from esp_node.mining.slave import Slave
from schema.errors import Invalid
from tests.avr.virtual import BusError, VirtualRig

ADDRESSES = (11, 12, 13)
NEVER = 99  # a byte that no transaction has
EPOCH_MS = 1_700_000_000_000
SETTLED_MS = 100_000  # quarantine, and what there is to hash

MOST_UNJUDGED = 8  # a gateway has two for each worker

OF_A_SLAVE = ("reset", "hang", "unplug", "plug")
OF_THE_BUS = {
    "flip_write": ("byte", "bit"), "flip_read": ("byte", "bit"), "drop_ack": ("count",), "hold_sda": ("on",),
}  # fmt: skip
WHICH, NUMBER = st.integers(0, 2), st.integers(0, 50)
ORDERS = (
    st.tuples(st.just("offer"), WHICH, st.integers(1, 2), st.sampled_from([0, 0, 200, 100_000])),
    st.tuples(st.just("offer"), WHICH, st.just(1), st.just(0)),
    st.tuples(st.just("offer_again"), NUMBER),
    st.tuples(st.just("lose"), NUMBER),
    st.tuples(st.just("judge")),
    st.tuples(st.just("run"), st.integers(1, 300)),
)
FAULTS = (
    st.tuples(st.sampled_from(OF_A_SLAVE), WHICH),
    st.tuples(st.sampled_from(["flip_write", "flip_read"]), st.integers(0, 23), st.integers(0, 7)),
    st.tuples(st.just("drop_ack"), st.integers(1, 3)),
    st.tuples(st.just("hold_sda"), st.booleans()),
)
FAULTS_OF_THE_FIRST = (st.tuples(st.sampled_from(OF_A_SLAVE), st.just(0)),)
LOAD = settings(max_examples=int(15 * float(os.environ.get("FARMHAND_TEST_SCALE", "1"))))


class Farm:
    """The wires, the master, and what a gateway knows of its jobs."""

    def __init__(self, wires: VirtualRig) -> None:
        self.wires = wires
        self.jobs: dict[str, tuple[int, int, dict[str, Any]]] = {}  # id -> address, nonce, offer
        self.answered: dict[str, int] = {}  # id -> nonce
        self.unjudged: list[str] = []
        self.lost: set[str] = set()  # the gateway said so
        self.times_gone: Counter[int] = Counter()
        self.rig = Rig(self, self, 0, self.now_ms())
        self.step_until(lambda: len(self.rig.slaves) == 3 and all(each.identity for each in self.rig.slaves.values()))

    # bus

    def scan(self) -> list[int]:
        return self.wires.ask("scan")["addresses"]

    def write(self, address: int, data: bytes) -> None:
        self._xfer(address, data, 0)

    def read(self, address: int, size: int) -> bytes:
        return self._xfer(address, b"", size)

    def free(self) -> None:
        self.wires.ask("clocks")

    def _xfer(self, address: int, data: bytes, size: int) -> bytes:
        try:
            return self.wires.xfer(address, data, size)
        except BusError as error:
            raise OSError(str(error)) from error

    # what the rig says

    def announce(self, slave: Slave) -> None:
        pass

    def gone(self, slave: Slave) -> None:
        self.times_gone[slave.address] += 1

    def alert(self, slave: Slave, text: str | None) -> None:
        pass

    def log(self, level: str, text: str) -> None:
        pass

    def share(self, slave: Slave, share: dict[str, Any]) -> None:
        address, nonce, _ = self.jobs[share["id"]]
        assert address == slave.address
        assert share["id"] not in self.answered, "a share twice"
        assert share["nonce"] == nonce, "a wrong share"
        assert share["chip"] == f"DUCOIDFA1200000000000{address - 10}"
        assert 0 < share["hashrate"] < 4500
        self.answered[share["id"]] = nonce
        self.unjudged.append(share["id"])

    # orders; those of the gateway, and what happens to the rig

    def do(self, order: str, *values: Any) -> None:
        if method := getattr(self, f"_{order}", None):
            method(*values)
        elif order in OF_A_SLAVE:
            self.wires.fault(order, slave=values[0])
            self.wires.sleep(100)  # after a reset: till its watchdog runs
        else:
            self.wires.fault(order, **dict(zip(OF_THE_BUS[order], values, strict=True)))

    def _run(self, ms: int) -> None:
        ends = self.now_ms() + ms
        self.step_until(lambda: self.now_ms() >= ends)

    def _offer(self, which: int, difficulty: int, lasts_ms: int) -> None:
        slave = self.rig.slaves[ADDRESSES[which]]
        unjudged = [job for job, (address, *_) in self.jobs.items() if address == slave.address and self._waits(job)]
        if len(unjudged) >= MOST_UNJUDGED:
            return
        last = hashlib.sha1(b"%d" % len(self.jobs)).hexdigest()
        nonce = 1 + int(last, 16) % (100 * difficulty)
        offer = {
            "id": f"j{len(self.jobs)}", "last": last, "difficulty": difficulty,
            "target": hashlib.sha1(f"{last}{nonce}".encode()).hexdigest(),
            "until": EPOCH_MS + self.now_ms() + lasts_ms if lasts_ms else 0,
        }  # fmt: skip
        if len(slave.jobs) < 4:
            slave.offer(offer, self.now_ms())
            self.jobs[offer["id"]] = (slave.address, nonce, offer)
        else:
            with pytest.raises(Invalid, match="one too many"):
                slave.offer(offer, self.now_ms())

    def _offer_again(self, number: int) -> None:
        """As after a reconnect: what waits for its share, or for the verdict, which may not have gone through yet."""
        for job in self._pick(number):
            slave = self.rig.slaves[self.jobs[job][0]]
            known = job in self.answered or job in [each.id for each in slave.jobs]
            if self._waits(job) and (known or len(slave.jobs) < 4):
                slave.offer(self.jobs[job][2], self.now_ms())

    def _lose(self, number: int) -> None:
        for job in self._pick(number):
            if job not in self.answered:
                self.lost.add(job)
                self.rig.slaves[self.jobs[job][0]].verdict({"id": job, "word": "LOST"}, self.now_ms())

    def _judge(self) -> None:
        for job in self.unjudged:
            self.rig.slaves[self.jobs[job][0]].verdict({"id": job, "word": "GOOD"}, self.now_ms())
        self.unjudged = []

    def _pick(self, number: int) -> list[str]:
        return [list(self.jobs)[number % len(self.jobs)]] if self.jobs else []

    def _waits(self, job: str) -> bool:
        """For its share, or the verdict."""
        return job not in self.lost and (job not in self.answered or job in self.unjudged)

    def settle(self) -> None:
        """Faults cease; in the end every job has its share that was not taken back, or too late to begin."""
        clean(self.wires)
        ends = self.now_ms() + SETTLED_MS
        self.step_until(lambda: not self.waited_for() or self.now_ms() > ends)
        assert self.waited_for() == []
        self.do("judge")
        for address, slave in self.rig.slaves.items():
            shares = sum(self.jobs[job][0] == address for job in self.answered)
            assert slave.shares == shares == slave.accepted + slave.lost

    def waited_for(self) -> list[str]:
        now = EPOCH_MS + self.now_ms()
        return [
            job
            for job, (_, _, offer) in self.jobs.items()
            if job not in self.answered and job not in self.lost and not 0 < offer["until"] < now
        ]

    def now_ms(self) -> int:
        return self.wires.now_us() // 1000

    def step_until(self, over: Any) -> None:
        while not over():
            due = self.rig.step(self.now_ms(), EPOCH_MS + self.now_ms())
            self.wires.sleep(max(1, min(due - self.now_ms(), 500)) * 1000)


def clean(wires: VirtualRig) -> None:
    """The bus as it should be; slaves that were unplugged start anew."""
    wires.fault("hold_sda", on=False)
    wires.fault("drop_ack", count=0)
    for kind in ("flip_write", "flip_read"):
        wires.fault(kind, byte=NEVER, bit=0)
    for slave, each in enumerate(wires.ask("slaves")["slaves"]):
        if not each["plugged"]:
            wires.fault("plug", slave=slave)


@pytest.fixture(scope="module")
def wires(built: Path) -> Iterator[VirtualRig]:
    rig = VirtualRig(built / "slave-16.elf", 3)
    yield rig
    rig.close()


def start(wires: VirtualRig) -> Farm:
    clean(wires)
    for slave in range(3):
        wires.fault("reset", slave=slave)
    wires.sleep(100_000)
    return Farm(wires)


@LOAD
@given(orders=st.lists(st.one_of(*ORDERS, *FAULTS), min_size=5, max_size=40))
def test_no_share_twice_none_wrong_and_every_job_answered(wires: VirtualRig, orders: list[tuple[Any, ...]]) -> None:
    farm = start(wires)
    for order in orders:
        farm.do(*order)
    farm.settle()


@LOAD
@given(orders=st.lists(st.one_of(*ORDERS, *FAULTS_OF_THE_FIRST), min_size=5, max_size=30))
def test_what_one_slave_suffers_the_others_do_not_feel(wires: VirtualRig, orders: list[tuple[Any, ...]]) -> None:
    farm = start(wires)
    for order in orders:
        farm.do(*order)
    farm.do("run", 3000)
    assert [job for job in farm.waited_for() if farm.jobs[job][0] != ADDRESSES[0]] == []
    for address in ADDRESSES[1:]:
        assert farm.times_gone[address] == farm.rig.slaves[address].faults == 0
    farm.settle()
