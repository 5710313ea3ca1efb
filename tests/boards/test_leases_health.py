"""A wish may ask how its boards do; who says nothing gets good ones first."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commander.boards import views
from commander.boards.gangs import matched
from commander.boards.pool import HEALTH, WELL, Board, boards
from commander.effects import Refused, Row
from schema.boards import STATES
from tests.boards.board_farm import BoardFarm, wish

GOOD, SHAKY = {"health": "good"}, {"health": "shaky"}


@pytest.fixture
def farm() -> BoardFarm:
    """h-1 failed lately, h-2 is broken."""
    made = BoardFarm(h=4)
    made.report("h", h_1={"shaky": True}, h_2={"state": "broken", "shaky": True})
    return made


def health(farm: BoardFarm) -> list[str]:
    return [row["health"] for row in views.board_list(farm.farm, farm.now)]


def test_the_words(farm: BoardFarm) -> None:
    farm.report("h", h_3={"state": "quarantine"})
    assert health(farm) == list(HEALTH)
    farm.report("h", h_3={"state": "flashing", "shaky": True})
    assert health(farm)[3] == "shaky", "it is being tested again"


@given(st.sampled_from([*STATES, "odd", None, 7]), st.sampled_from([True, False, None, "yes", 1, []]))
def test_whatever_a_sentry_says_is_one_of_them(state: Any, shaky: Any) -> None:
    farm = BoardFarm(h=1)
    farm.report("h", h_0={"state": state, "shaky": shaky})
    (board,) = boards(farm.farm, farm.now).values()
    assert board.health == (board.state if not board.well else "shaky" if shaky is True else "good")


def test_only_what_was_asked_for(farm: BoardFarm) -> None:
    assert views.available(farm.farm, SHAKY, "pulsecount", farm.now) == ["h-1"]
    assert views.available(farm.farm, GOOD, None, farm.now) == ["h-0", "h-3"]
    assert set(farm.reserve(count=2, selector=GOOD)["boards"]) == {"h-0", "h-3"}
    assert list(farm.reserve(selector=SHAKY)["boards"]) == ["h-1"]


def test_good_ones_first_and_special_ones_last(farm: BoardFarm) -> None:
    farm.report("h", h_0={"tags": ["a", "b"]}, h_2={"state": "ready", "shaky": None})
    assert [next(iter(farm.reserve()["boards"])) for _ in range(4)] == ["h-2", "h-3", "h-1", "h-0"]


def test_who_wants_a_good_one_waits_until_it_is_and_holds_nobody_up(farm: BoardFarm) -> None:
    picky = farm.reserve("ann", 3, selector=GOOD)
    (place,) = [row for row in views.lease_list(farm.farm, farm.now) if row["id"] == picky["id"]]
    assert (picky["state"], place["position"], place["eta"]) == ("waiting", 1, None)
    other = farm.reserve("bob", 2, selector=GOOD)
    assert other["state"] == "active", "no lease that ends makes a board good"
    farm.report("h", h_1={"shaky": None})
    farm.settle()
    assert farm.state_of(picky["id"]) == "waiting"
    late = farm.reserve("cat")
    assert late["state"] == "waiting", "what is good now is kept for who was first"
    farm.end("bob", other["id"])
    farm.settle()
    assert set(farm.lease(picky["id"])["boards"]) == {"h-0", "h-1", "h-3"}


def test_not_now_says_why(farm: BoardFarm) -> None:
    with pytest.raises(Refused) as error:
        farm.reserve(count=3, selector=GOOD, wait=False)
    assert error.value.problem == (
        "2 of the 4 boards that suit are free, 3 are wanted; 1 are out of order; 1 are not good"
    )
    with pytest.raises(Refused, match="the farm has 4 boards"):
        farm.reserve(count=5, selector=GOOD)


@pytest.mark.parametrize("word", ["broken", "quarantine", "Good", ""])
def test_a_word_that_makes_no_sense(farm: BoardFarm, word: str) -> None:
    part = wish(selector={"health": word})
    for asked in (
        part,
        wish(together=[{name: part[name] for name in ("kind", "args", "count", "serials", "selector")}]),
    ):
        with pytest.raises(Refused, match="good, shaky; a board that is broken or quarantine is not") as error:
            farm.gang("ann", asked)
        assert (error.value.field, error.value.status) == ("selector.health", 422)
    assert not farm.farm["board_lease"]


def test_in_a_gang(farm: BoardFarm) -> None:
    part: Row = {"kind": "variance", "args": {}, "count": 1, "serials": [], "selector": GOOD}
    first, second = farm.gang("ann", wish(2, selector=GOOD, together=[part]))
    assert (first["state"], second["state"]) == ("waiting", "waiting"), "two are good, three are wanted"
    farm.report("h", h_1={"shaky": None})
    assert [farm.state_of(row["id"]) for row in (first, second)] == ["active", "active"]


def test_a_shaky_board_is_not_asked_back_for_who_wants_a_good_one(farm: BoardFarm) -> None:
    farm.report("h", h_0={"shaky": True}, h_2={"state": "ready"}, h_3={"shaky": True})
    lease = farm.reserve("ann", 4)
    farm.settle()
    farm.reserve("bob", selector=GOOD)
    farm.later(1)
    assert farm.lease(lease["id"])["wanted"] == 0
    farm.report("h", h_1={"shaky": None}, h_2={"shaky": None})
    farm.later(1)
    assert farm.lease(lease["id"])["wanted"] == 1, "his share is one of the two good ones"


def test_a_lease_keeps_a_board_that_has_become_shaky(farm: BoardFarm) -> None:
    lease = farm.reserve(count=None, serials=["h-0"], selector=GOOD)["id"]
    farm.report("h", h_0={"state": "leased", "lease": lease, "shaky": True})
    farm.later(1)
    assert (farm.state_of(lease), farm.lease(lease)["failing"]) == ("active", {})


BOARDS = st.lists(st.tuples(st.sampled_from(WELL), st.sets(st.sampled_from("xyz"))), max_size=6)


@given(BOARDS, st.integers(1, 6), st.sampled_from([None, *WELL]))
def test_nothing_better_is_left_for_what_was_given(
    told: list[tuple[str, set[str]]], count: int, word: str | None
) -> None:
    known = [
        Board(f"b-{n}", "h", "house", "ready", "ready", "", tuple(sorted(tags)), "", "", "", ("pulsecount",), how)
        for n, (how, tags) in enumerate(told)
    ]
    row = wish(count, selector={"health": word} if word else {}, id="l-1")
    mine = matched([row], known)["l-1"]
    suit = [board for board in known if word in (None, board.health)]
    assert len(mine) == min(count, len(suit))
    left = [board for board in suit if board not in mine]
    for given_one in mine:
        for other in left:
            if len(other.tags) == len(given_one.tags):
                assert (given_one.health, other.health) != ("shaky", "good")
            else:
                assert len(other.tags) > len(given_one.tags)
