"""What is told of a change, which addresses a scan asks, and the library pyasic behind our figures."""

import asyncio
import ipaddress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.message import Invalid
from sentry.mining.asic_changes import Look, changes
from sentry.mining.asic_pyasic import Backend
from sentry.mining.asic_scan import MOST_ADDRESSES, addresses
from sentry.mining.figures import Algorithm, Card, Figures
from sentry.mining.miners import NoAnswer
from tests.mining.asics import Simulated

BOARDS = tuple(Card(name=f"board {n}", hashrate=1e12) for n in (1, 2, 3))
WELL = Figures("cgminer", "4", 5000, (Algorithm("sha256", 3e12, pool="a:1", user="me"),), BOARDS)


def whats(before: Look | None, now: Look) -> list[str]:
    return [each.what for each in changes(before, now)]


def test_changes() -> None:
    well, gone = Look(WELL), Look(None, "no route")
    assert whats(None, well) == []
    assert whats(well, well) == []
    assert whats(None, gone) == whats(well, gone) == ["offline"]
    assert whats(gone, gone) == []
    assert whats(gone, well) == ["online"]
    lost = replace(WELL, cards=(BOARDS[0], replace(BOARDS[1], hashrate=0.0), BOARDS[2]))
    assert [each.text for each in changes(well, Look(lost))] == ["board 2 does not hash any more: 2 of 3 do"]
    assert whats(Look(lost), well) == ["board-back"]
    elsewhere = Look(replace(WELL, algorithms=(Algorithm("sha256", 3e12, pool="b:1", user="you"),), uptime_s=3))
    assert whats(well, elsewhere) == ["restarted", "pool", "user"]
    asleep = Look(replace(WELL, algorithms=(Algorithm("sha256", 0.0, pool="a:1", user="me"),), cards=()))
    assert whats(well, asleep) == ["not-hashing"]  # and not each of its boards as well
    assert whats(asleep, well) == ["hashing"]
    hot = Look(replace(WELL, extra={"fault": "too hot"}))
    assert (whats(None, hot), whats(hot, hot), whats(hot, well)) == (["fault"], [], ["fault-over"])
    assert whats(well, Look(WELL, rejects=12.0)) == ["rejects"]
    assert whats(Look(WELL, rejects=12.0), Look(WELL, rejects=1.0)) == ["rejects-over"]


@given(st.integers(0, 2**32 - 1), st.integers(20, 32))
def test_a_network_is_asked_without_its_ends(base: int, bits: int) -> None:
    network = ipaddress.IPv4Network((base, bits), strict=False)
    asked = addresses(str(network), force=True)
    assert asked == [str(each) for each in network.hosts()]
    assert 0 < len(asked) <= MOST_ADDRESSES


@given(st.text(max_size=40) | st.from_regex(r"\A127\.0\.\d{1,3}\.\d{1,3}[-/][\d.]{1,12}\Z"))
def test_any_range_is_addresses_or_invalid(text: str) -> None:
    try:
        asked = addresses(text)
    except Invalid:
        return
    assert 0 < len(asked) <= MOST_ADDRESSES
    assert all(ipaddress.ip_address(each).is_private for each in asked)


@pytest.mark.parametrize("text", ["10.0.0.0/19", "10.0.0.9-10.0.0.1", "8.8.8.8/32", "192.168.0.1-193.0.0.1", "::1/128"])
def test_ranges_that_are_refused(text: str) -> None:
    with pytest.raises(Invalid, match="range"):
        addresses(text)
    assert addresses("8.8.8.8/32", force=True) == ["8.8.8.8"]


@pytest.mark.skipif(find_spec("pyasic") is None, reason="the library pyasic is not installed")
@pytest.mark.filterwarnings("ignore")
def test_pyasic_gives_the_same_figures(tmp_path: Path) -> None:
    """It knows only port 4028, so this one has an address that nobody else uses."""
    asic = Simulated(1, "--type", "cgminer", "--host", "127.91.7.1", free=False)
    backend = Backend(10)

    async def look() -> Figures:
        found = await backend.figures("127.91.7.1")
        assert await backend.control("127.91.7.1", "sleep", None) == "done"
        with pytest.raises(NoAnswer, match="finds no ASIC"):
            await backend.figures("127.91.7.2")
        return found

    try:
        found = asyncio.run(look())
    finally:
        asic.stop()
    assert found.hashrate == pytest.approx(140e12)
    assert found.extra["model"] == "AntMiner S19"
    assert found.algorithms[0].pool == "stratum+tcp://pool.example:3333"
