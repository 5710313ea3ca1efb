"""How the pool draws and judges."""

from collections import deque
from hashlib import sha1

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.mining import duco_wire as wire
from sentry.mining.duco_rules import Given, Rules, judge, may_work, new_job
from sentry.mining.duco_tiers import LADDER, TIERS
from sentry.mining.duco_wire import Result, Verdict
from tests.mining.rig import find

LAST = "ba29a15896fd2d792d5c4b60668bf2b9feebc51d"


def job(tier: str = "AVR", chance: float = 0.5, now: float = 0) -> Given:
    return new_job(LAST, tier, Rules(), chance, now)


def verdict(rules: Rules, given: Given, now: float = 1, **change: float) -> tuple[Verdict, str]:
    values = {"nonce": given.nonce, "hashrate": 200.0, **change}
    return judge(rules, given, Result(int(values["nonce"]), values["hashrate"], "m 4.3"), deque(), 0.99, now)


@given(st.floats(0, 1, exclude_max=True), st.sampled_from(LADDER))
def test_a_nonce_is_from_one_to_a_hundred_times_the_difficulty(chance: float, tier: str) -> None:
    given = job(tier, chance)
    assert 1 <= given.nonce <= 100 * TIERS[tier].difficulty == 100 * given.work.difficulty
    assert sha1(f"{LAST}{given.nonce}".encode()).hexdigest() == given.work.target


def test_both_ends_are_drawn() -> None:
    assert job(chance=0).nonce == 1
    assert job(chance=1 - 2**-53).nonce == 1000
    assert find(LAST, job(chance=1 - 2**-53).work.target, 1000) == 1000


@given(st.floats(0, 1, exclude_max=True), st.integers(0, 2000))
def test_only_the_drawn_nonce_is_good(chance: float, nonce: int) -> None:
    given = job(chance=chance)
    word = verdict(Rules(), given, nonce=nonce)[0].word
    assert word == ("GOOD" if nonce == given.nonce else "BAD")


@pytest.mark.parametrize("hashrate", [0, -1])
def test_no_hash_rate(hashrate: float) -> None:
    assert verdict(Rules(), job(), hashrate=hashrate)[0] == Verdict("BAD", wire.INVALID_DATA)


@pytest.mark.parametrize(
    ("tier", "hashrate", "why", "next_tier"),
    [
        ("AVR", 379.9, "", "AVR"),
        ("AVR", 380, wire.TOO_LOW_START, "MEGA"),
        ("MEGA", 149, wire.TOO_HIGH_START, "AVR"),
        ("ARM", 3131, wire.TOO_LOW_START, "DUE"),
        ("DUE", 3131, "", "DUE"),
        ("NET", 1e12, "", "NET"),
        ("AVR", 0.1, "", "AVR"),
    ],
)
def test_the_ladder(tier: str, hashrate: float, why: str, next_tier: str) -> None:
    found, moved = verdict(Rules(ladder=True), job(tier), hashrate=hashrate)
    assert (found.why, moved) == (why, next_tier)
    assert verdict(Rules(), job(tier), hashrate=hashrate)[1] == tier  # without the ladder nobody moves


def test_a_hash_rate_that_was_not_seen() -> None:
    rules, given = Rules(modified_pct=15), job()
    honest = given.nonce / 2.0
    assert verdict(rules, given, now=2, hashrate=honest * 1.14)[0].word == "GOOD"
    assert verdict(rules, given, now=2, hashrate=honest * 1.16)[0].why == wire.MODIFIED_HASHRATE
    assert verdict(rules, given, now=2, hashrate=honest * 0.84)[0].why == wire.MODIFIED_HASHRATE
    assert verdict(rules, given, now=0.4, hashrate=1)[0].word == "GOOD"  # too short to be measured


def test_too_many_shares_in_any_minute() -> None:
    rules, recent = Rules(shares_per_minute=3), deque[float]()
    given = job()
    times = [0, 10, 20, 59, 60.5, 61, 121.6]
    words = [judge(rules, given, Result(given.nonce, 1, "m"), recent, 0.9, now)[0].why for now in times]
    many = wire.TOO_MANY_SHARES
    assert words == ["", "", "", many, many, many, ""]


@given(st.integers(2, 1000))
def test_blocks_by_chance(every: int) -> None:
    rules, given = Rules(block_every=every), job()
    assert judge(rules, given, Result(given.nonce, 1, "m"), deque(), 0, 1)[0].word == "BLOCK"
    assert judge(rules, given, Result(given.nonce, 1, "m"), deque(), 1.001 / every, 1)[0].word == "GOOD"


def test_who_may_work() -> None:
    rules = Rules(most_workers=2, banned=frozenset(["mallory"]))
    refused = [may_work(rules, *each) for each in (("", 1), ("mallory", 1), ("me", 3), ("me", 2))]
    assert [each and each.why for each in refused] == [wire.NO_USER, wire.BANNED, wire.TOO_MANY_WORKERS, None]
