"""Who is asked to give boards back while some are kept for those ahead, and for wishes that are served together."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commander.boards.pool import Board
from commander.boards.queue import serve
from commander.boards.sharing import asked_back
from commander.effects import Row
from tests.boards.board_farm import BoardFarm, wish

SMA = {"selector": {"tags": ["sma"]}}


@pytest.fixture
def farm() -> BoardFarm:
    """h-6 and h-7 have a tag of their own."""
    made = BoardFarm(h=8)
    made.report("h", **{f"h_{n}": {"tags": ["up5k", "sma"]} for n in (6, 7)})
    return made


def gang(farm: BoardFarm, user: str, *more: Row, **first: Any) -> list[str]:
    others = [{"kind": "pulsecount", "args": {}, "count": 1, "serials": [], "selector": {}, **each} for each in more]
    return [row["id"] for row in farm.gang(user, {**wish(), **first, "together": others})]


def wanted(farm: BoardFarm) -> dict[str, tuple[int, list[str]]]:
    farm.settle()
    farm.later(1)
    told = {
        row["lease"]: (row["data"]["boards"], row["data"]["serials"]) for row in farm.history if row["what"] == "wanted"
    }
    return {lease: each for lease, each in told.items() if farm.lease(lease)["wanted"]}


def test_what_a_gang_lacks_is_asked_for(farm: BoardFarm) -> None:
    much = farm.reserve("much", 7, serials=[f"h-{n}" for n in range(1, 8)])["id"]
    together = gang(farm, "ann", SMA)
    assert wanted(farm) == {much: (1, ["h-6"])}, "the other board is there, and no other has the tag"
    farm.end("much", much, "h-6")
    farm.settle()
    assert {farm.state_of(name) for name in together} == {"active"}
    assert wanted(farm) == {}


def test_a_gang_of_more_than_a_share_is_not_asked_for(farm: BoardFarm) -> None:
    farm.reserve("much", 8)
    gang(farm, "ann", SMA, count=4)
    assert wanted(farm) == {}


def test_boards_that_a_gang_keeps_are_not_there_for_those_behind(farm: BoardFarm) -> None:
    farm.reserve("bob", 1, serials=["h-6"])
    farm.reserve("bob", 1, serials=["h-7"])
    much = farm.reserve("much", 5)["id"]
    gang(farm, "ann", SMA)
    little = farm.reserve("little", 1)["id"]
    assert farm.state_of(little) == "waiting", "h-5 is kept"
    assert wanted(farm) == {much: (1, [f"h-{n}" for n in range(5)])}
    farm.end("much", much, "h-2")
    farm.settle()
    assert farm.state_of(little) == "active"


def test_nobody_is_asked_for_what_those_ahead_would_keep(farm: BoardFarm) -> None:
    farm.reserve("much", 8)
    farm.reserve("ann", 5)
    farm.reserve("little", 1)
    assert wanted(farm) == {}


SERIALS = "abcdefgh"
TAGS = st.sampled_from([[], [], ["x"], ["y"], ["x", "y"]])
WISH = st.tuples(st.sampled_from([1, 1, 2, 4]), TAGS)


@settings(max_examples=300)
@given(
    tags=st.lists(TAGS, min_size=8, max_size=8),
    owners=st.lists(st.sampled_from(["p", "p", "p", "p2", "q", ""]), min_size=8, max_size=8),
    line=st.lists(st.tuples(st.sampled_from("qrs"), st.lists(WISH, min_size=1, max_size=2)), min_size=1, max_size=3),
    data=st.data(),
)
def test_whoever_gives_what_he_is_asked_for_completes_a_wish_and_not_with_less(
    tags: list[list[str]], owners: list[str], line: list[tuple[str, list[tuple[int, list[str]]]]], data: st.DataObject
) -> None:
    boards = {
        serial: Board(serial, "h", "house", "ready", "ready", "", tuple(mine), "", "", "", ("pulsecount",))
        for serial, mine in zip(SERIALS, tags, strict=True)
    }
    holds = {
        name: [s for s, owner in zip(SERIALS, owners, strict=True) if owner == name] for name in set(owners) - {""}
    }
    active = [row(f"l-{name}", name[0], 0, len(mine), boards=dict.fromkeys(mine, "h")) for name, mine in holds.items()]
    waiting = [
        row(
            f"w-{place}-{number}",
            user,
            place,
            count,
            selector={"tags": wants},
            gang=f"w-{place}-0" if len(some) > 1 else "",
        )
        for place, (user, some) in enumerate(line)
        for number, (count, wants) in enumerate(some)
    ]
    served = waiting
    while served:
        served, _ = serve(waiting, boards, held_by(active), {})
        begun = {name: {board.serial: "h" for board in mine} for name, mine in served.items()}
        active += [{**each, "boards": begun[each["id"]]} for each in waiting if each["id"] in begun]
        waiting = [each for each in waiting if each["id"] not in begun]
    given: list[str] = []
    for lease, (count, serials) in asked_back(waiting, active, boards, {}).items():
        has = next(each["boards"] for each in active if each["id"] == lease)
        assert set(serials) <= set(has)
        assert 0 < count <= len(serials)
        assert count < len(has), "never the last"
        given += data.draw(st.permutations(serials))[:count]
    if given:
        held = held_by(active)
        assert serve(waiting, boards, held - set(given), {})[0]
        assert not serve(waiting, boards, held - set(given[1:]), {})[0]


def held_by(active: list[Row]) -> set[str]:
    return {serial for each in active for serial in each["boards"]}


def row(name: str, user: str, created: int, count: int, **more: Any) -> Row:
    return {
        **{"id": name, "user": user, "created": created, "count": count, "kind": "pulsecount", "serials": []},
        **{"selector": {}, "gang": "", "priority": 0, "length_s": 3600, "boards": {}, **more},
    }
