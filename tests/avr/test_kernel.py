"""The search against hashlib, on the simulated AVR: the unrolled kernel, and the portable C it is compared with."""

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avr.generate import schedule
from tests.avr.virtual import SIMULATOR, target
from tests.conftest import ROOT

FOUND, NOT_FOUND = 1, 2
LIMIT = 65_500
LAST = "ba29a15896fd2d792d5c4b60668bf2b9feebc51d"
EDGES = (0, 1, 9, 10, 11, 99, 100, 101, 999, 1000, 1001, 9999, 10_000, 10_009, 59_999, 65_499, 65_500)


class Searcher:
    """A simulated AVR that does nothing but search."""

    def __init__(self, elf: Path):
        command = [SIMULATOR, ROOT / "avr" / "test" / "run_search.py", elf]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def search(self, last: str, wanted: bytes, first: int, limit: int) -> tuple[int, int, int]:
        """(end, nonce, cycles)"""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{last} {wanted.hex()} {first} {limit}\n")
        self.process.stdin.flush()
        end, nonce, cycles = map(int, self.process.stdout.readline().split())
        return end, nonce, cycles

    def close(self) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        assert self.process.wait(60) == 0
        self.process.stdout.close()


@pytest.fixture(scope="module", params=["unrolled", "portable"])
def searcher(request: pytest.FixtureRequest, built: Path) -> Iterator[Searcher]:
    searcher = Searcher(built / f"search-{request.param}.elf")
    yield searcher
    searcher.close()


@pytest.fixture(scope="module")
def unrolled(built: Path) -> Iterator[Searcher]:
    searcher = Searcher(built / "search-unrolled.elf")
    yield searcher
    searcher.close()


def shortly_before(nonce: int, distance: int) -> int:
    return max(0, nonce // 10 * 10 - 10 * distance)


@pytest.mark.parametrize("nonce", EDGES)
def test_finds_first_and_last_nonce_of_each_length(searcher: Searcher, nonce: int) -> None:
    for distance in (0, 1):
        found = searcher.search(LAST, target(LAST, nonce), shortly_before(nonce, distance), LIMIT)
        assert found[:2] == (FOUND, nonce)


@pytest.mark.parametrize("nonce", [edge for edge in EDGES if edge])
def test_a_nonce_beyond_the_limit_is_not_found(searcher: Searcher, nonce: int) -> None:
    found = searcher.search(LAST, target(LAST, nonce), shortly_before(nonce - 1, 1), nonce - 1)
    assert found[:2] == (NOT_FOUND, nonce)


def test_a_hash_of_no_nonce_is_not_found(unrolled: Searcher) -> None:
    assert unrolled.search(LAST, bytes(20), 0, 12_000)[:2] == (NOT_FOUND, 12_001)


def test_nonces_of_all_lengths(unrolled: Searcher) -> None:
    """In each place there is every digit, after each that can come before it."""
    for nonce in [*range(0, 1000, 4), *range(1000, LIMIT, 47)]:
        found = unrolled.search(LAST, target(LAST, nonce), shortly_before(nonce, 0), LIMIT)
        assert found[:2] == (FOUND, nonce)


def test_the_official_miners_own_job(searcher: Searcher) -> None:
    wanted = bytes.fromhex("d0beba883d7e8cd119ea2b0e09b78f60f29e0968")
    assert searcher.search(LAST, wanted, 0, 1000)[:2] == (FOUND, 50)


def test_each_word_of_the_target_counts(unrolled: Searcher) -> None:
    """A hash that differs in one bit is another hash: what the kernel compares is made of all five words."""
    for bit in range(0, 160, 7):
        wrong = bytearray(target(LAST, 4321))
        wrong[bit // 8] ^= 1 << bit % 8
        assert unrolled.search(LAST, bytes(wrong), 4300, 4340)[:2] == (NOT_FOUND, 4341)


@settings(max_examples=500)
@given(data=st.data(), seed=st.integers(0, 2**64), difficulty=st.integers(1, 655), distance=st.integers(0, 3))
def test_random_jobs(unrolled: Searcher, data: st.DataObject, seed: int, difficulty: int, distance: int) -> None:
    last, limit = hashlib.sha1(str(seed).encode()).hexdigest(), 100 * difficulty
    nonce = data.draw(st.integers(0, limit) | st.integers(limit - 11, limit + 11))
    found = unrolled.search(last, target(last, nonce), shortly_before(min(nonce, limit), distance), limit)
    assert found[:2] == ((FOUND, nonce) if nonce <= limit else (NOT_FOUND, limit + 1))


def test_cycles_are_the_same_in_every_run(built: Path) -> None:
    runs: list[tuple[int, int, int]] = []
    for _ in range(2):
        searcher = Searcher(built / "search-unrolled.elf")
        runs.append(searcher.search(LAST, bytes(20), 0, 999))
        searcher.close()
    assert runs[0] == runs[1]


def test_the_schedule_is_linear_in_the_digits() -> None:
    """The differences in flash do not depend on the job."""
    random = Random(3)
    for position in range(5):
        for digit in range(10):
            block = [random.getrandbits(32) for _ in range(16)]
            byte = schedule.PREFIX_BYTES + position
            shift = 8 * (3 - byte % 4)
            zero, other = list(block), list(block)
            zero[byte // 4] = block[byte // 4] & ~(0xFF << shift) | 0x30 << shift
            other[byte // 4] = block[byte // 4] & ~(0xFF << shift) | (0x30 + digit) << shift
            differ = [a ^ b for a, b in zip(schedule.expand(zero), schedule.expand(other), strict=True)]
            assert differ == schedule.difference(position, digit)
