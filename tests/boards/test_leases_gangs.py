"""Several wishes that are met together or not at all."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commander.boards import leases, views
from commander.boards.gangs import is_complete, matched
from commander.boards.pool import Board
from commander.effects import Refused, Row
from tests.boards.board_farm import BoardFarm, wish


@pytest.fixture
def farm() -> BoardFarm:
    """h-3 has a tag of its own."""
    made = BoardFarm(h=4)
    made.report("h", h_3={"tags": ["up5k", "sma"]})
    return made


def part(count: int = 1, **more: Any) -> Row:
    return {"kind": "pulsecount", "args": {}, "count": count, "serials": [], "selector": {}, **more}


def asked(farm: BoardFarm, user: str, *parts: Row, **more: Any) -> list[Row]:
    first, *others = parts
    return farm.gang(user, {**wish(), **first, "together": others, **more})


def test_two_kinds_at_once(farm: BoardFarm) -> None:
    first, second = asked(farm, "ann", part(2), part(kind="variance", selector={"tags": ["sma"]}))
    assert (first["state"], list(first["boards"]), second["boards"]) == ("active", ["h-0", "h-1"], {"h-3": "h"})
    assert (first["gang"], second["gang"]) == (first["id"], first["id"])
    assert {each["serial"]: each["kind"] for each in farm.document("h")} == {
        "h-0": "pulsecount",
        "h-1": "pulsecount",
        "h-3": "variance",
    }
    farm.end("ann", first["id"])
    assert farm.state_of(second["id"]) == "active", "once begun, each has its own end"


def test_all_or_none_and_nobody_overtakes(farm: BoardFarm) -> None:
    sma = farm.reserve("bob", 1, serials=["h-3"])["id"]
    gang = [row["id"] for row in asked(farm, "ann", part(2), part(selector={"tags": ["sma"]}))]
    assert {farm.state_of(name) for name in gang} == {"waiting"}
    assert farm.reserve("cat", 1)["state"] == "active", "a third board is free"
    late = farm.reserve("dan", 1)["id"]
    assert farm.state_of(late) == "waiting", "two are kept"
    shown = {row["id"]: (row["position"], row["eta"]) for row in views.lease_list(farm.farm, farm.now)}
    ends = farm.lease(sma)["until"]
    assert [shown[name] for name in gang] == [(1, ends), (1, ends)]
    assert shown[late][0] == 2
    farm.settle()
    farm.end("bob", sma)
    farm.settle()
    assert {farm.state_of(name) for name in gang} == {"active"}


def test_a_wish_that_is_taken_back_takes_its_gang_with_it(farm: BoardFarm) -> None:
    farm.reserve("bob", 4)
    gang = [row["id"] for row in asked(farm, "ann", part(), part(2))]
    assert farm.end("ann", gang[1])["why"] == "withdrawn"
    assert [farm.state_of(name) for name in gang] == ["ended", "ended"]
    asked(farm, "ann", part(), part(2))
    assert len(farm.ask(leases.end_all, leases.Whose("ann"))) == 2


@pytest.mark.parametrize(
    ("parts", "field", "words"),
    [
        ([part(2), part(3)], "together", "has 4 that suit"),
        ([part(), part(serials=["h-3"]), part(selector={"tags": ["sma"]})], "together", "of the 3 boards"),
        ([part(), part(kind="none")], "kind", "no sentry offers none"),
        ([part()] * 17, "together", "at most 15 more"),
    ],
)
def test_what_can_never_be_is_refused(farm: BoardFarm, parts: list[Row], field: str, words: str) -> None:
    with pytest.raises(Refused, match=words) as error:
        asked(farm, "ann", *parts)
    assert error.value.field == field
    assert not farm.farm["board_lease"]


def test_now_means_all_of_it(farm: BoardFarm) -> None:
    farm.reserve("bob", 1, serials=["h-3"])
    with pytest.raises(Refused):
        asked(farm, "ann", part(), part(serials=["h-3"]), wait=False)
    assert not [row for row in farm.farm["board_lease"].values() if row["user"] == "ann"]


@given(st.lists(st.tuples(st.integers(1, 2), st.sets(st.sampled_from("abcde"))), min_size=1, max_size=3))
def test_a_gang_is_complete_whenever_it_can_be(wanted: list[tuple[int, set[str]]]) -> None:
    boards = [Board(name, "h", "house", "ready", "ready", "", (), "", "", "", ("pulsecount",)) for name in "abcde"]
    gang = [{**part(count, serials=sorted(some) or ["none"]), "id": f"{n}"} for n, (count, some) in enumerate(wanted)]
    found = matched(gang, boards)
    given_to = [board.serial for mine in found.values() for board in mine]
    assert len(given_to) == len(set(given_to))
    assert all({board.serial for board in found[row["id"]]} <= set(row["serials"]) for row in gang)
    slots = [row["serials"] for row in gang for _ in range(row["count"])]
    ways = permutations("abcde", len(slots))  # none when there are more slots than boards
    assert is_complete(gang, found) == any(all(map(list.__contains__, slots, way)) for way in ways)
