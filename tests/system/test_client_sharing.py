"""A long batch does not starve others, and a batch goes on where it was: users with keys of their own, two virtual
boards, each evaluation a second."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from farmhand_client import AsyncPulseCountClient, PulseCountClient, Result

from tests.boards.circuits import bitstream, divider, need_tools, pulses, write_dividers
from tests.support.farms import HOUSE, HTTP
from tests.system.farm import Farm, wait_for

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

DIVIDERS = (7, 100, 12_000)
LENGTH_S = 10


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory, no_live_farm: None) -> Iterator[Farm]:
    need_tools()
    made = Farm(tmp_path_factory.mktemp("sharing") / "state", HOUSE + HTTP)
    try:
        yield made.up("--boards", "2")
    finally:
        made.end()


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return list(write_dividers(tmp_path, DIVIDERS).values())


@pytest.fixture
def client(farm: Farm) -> Iterator[Callable[[str], PulseCountClient]]:
    """Of a user of this name."""
    made: list[PulseCountClient] = []

    def make(user: str) -> PulseCountClient:
        key = farm.api.post("/keys", {"name": user, "role": "operator"})["key"]
        made.append(PulseCountClient(farm.api.url, "test", logging.getLogger(user), key=key))
        return made[-1]

    yield make
    for each in made:
        each.end_all()
        each.close()


def test_a_long_batch_lets_others_in_and_gives_all_its_results(
    farm: Farm, client: Callable[[str], PulseCountClient], files: list[Path]
) -> None:
    long, short, third = client("long"), client("short"), client("third")
    long.reserve(2, length_s=LENGTH_S)
    given = files * 8
    told: list[Result] = []
    worker = threading.Thread(target=lambda: told.extend(long.evaluate_bitstreams(given, spread=True)), daemon=True)
    worker.start()
    wait_for("the first result", lambda: told, 60)

    served = short.reserve(1, wait_for_available=True, available_timeout=60)
    assert worker.is_alive()
    assert long.get_serials() != served, "the batch gave one of its boards back, and kept the other"
    assert len(long.get_serials()) == 1
    values = [each.value for each in short.evaluate_bitstreams(files)]
    assert sorted(values) == sorted(map(pulses, DIVIDERS))

    third.reserve(1, wait_for_available=True, available_timeout=90)
    assert long.get_serials() == [], "its time was up, and it was not extended as somebody waited"
    assert worker.is_alive()
    third.end_all()
    worker.join(120)
    assert not worker.is_alive()
    assert sorted(each.value for each in told) == sorted([*map(pulses, DIVIDERS)] * 8)


def test_a_batch_on_one_of_two_boards_goes_on_when_their_time_is_up(farm: Farm, files: list[Path]) -> None:
    async def work() -> list[int]:
        async with AsyncPulseCountClient(farm.api.url, "late", key=farm.api.key) as mine:
            mine.leases.extending = False
            serials = await mine.reserve(2, wait_for_available=True, length_s=6)
            told = [each async for each in mine.evaluate_bitstreams(files * 3, serials=serials[:1])]
            return [each.value for each in told]

    assert sorted(asyncio.run(work())) == sorted([*map(pulses, DIVIDERS)] * 3)


def test_a_batch_with_a_name_goes_on_where_it_was(
    farm: Farm, client: Callable[[str], PulseCountClient], files: list[Path]
) -> None:
    first = client("first")
    first.reserve(1, wait_for_available=True)
    told = first.evaluate_bitstreams([*files, *files], batch="my-work")
    before = [next(told), next(told)]
    told.close()
    first.end_all()
    wait_for("the board", lambda: farm.api.get("/boards/available")["count"] == 2, 60)
    known = {row["evaluation"] for row in farm.api.get("/boards/results", batch="my-work", limit=100)["items"]}

    later = client("first")
    serial = later.reserve_specific([before[0].serial])[0]
    files[2].write_bytes(bitstream(divider(9)))
    values = [each.value for each in later.evaluate_bitstreams([*files, *files], batch="my-work", serials=[serial])]
    assert sorted(values) == sorted([pulses(7), pulses(100), pulses(9)] * 2)
    rows = farm.api.get("/boards/results", batch="my-work", limit=100)["items"]
    new = {row["evaluation"] for row in rows} - known
    still_good = {name for name in known if int(name.split("#")[1]) % 3 != 2}
    assert len(still_good) >= 1
    assert len(rows) == len(known) + len(new)
    assert len(new) + len(still_good) == len(values)
