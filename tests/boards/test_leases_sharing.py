"""Who has more boards than his share is asked for some of them, and no automatic extension passes by those who wait."""

from typing import Any

import pytest

from commander.boards import leases
from commander.boards.wishes import Asker
from commander.effects import Refused, Row
from tests.boards.board_farm import BoardFarm


@pytest.fixture
def farm() -> BoardFarm:
    return BoardFarm(h=4)


def wanted(farm: BoardFarm) -> list[tuple[str, Row]]:
    farm.settle()
    farm.later(1)
    return [(row["lease"], row["data"]) for row in farm.history if row["what"] == "wanted"]


def extended(farm: BoardFarm, user: str, lease: str) -> Any:
    return farm.ask(lambda *given: leases.extend(*given, unless_wanted=True), Asker(user), lease, None, farm.limits)


def test_nobody_is_asked_while_nobody_waits(farm: BoardFarm) -> None:
    much = farm.reserve("much", 4)["id"]
    assert wanted(farm) == []
    assert farm.lease(much)["wanted"] == 0


def test_more_than_the_share_is_asked_for_once_and_serves_who_waits(farm: BoardFarm) -> None:
    much = farm.reserve("much", 4)["id"]
    little = farm.reserve("little", 1)["id"]
    expected = [(much, {"boards": 1, "serials": ["h-0", "h-1", "h-2", "h-3"]})]
    assert wanted(farm) == expected
    assert wanted(farm) == expected
    assert farm.lease(much)["wanted"] == 1
    farm.end("much", much, "h-2")
    farm.settle()
    assert farm.lease(little)["boards"] == {"h-2": "h"}
    assert wanted(farm) == expected
    assert farm.lease(much)["wanted"] == 0


def test_half_of_the_boards_is_the_share_of_one_of_two(farm: BoardFarm) -> None:
    much = farm.reserve("much", 4)["id"]
    farm.reserve("other", 2)
    assert wanted(farm) == [(much, {"boards": 2, "serials": ["h-0", "h-1", "h-2", "h-3"]})]


@pytest.mark.parametrize(
    ("count", "more"),
    [
        (3, {}),  # more than a share
        (1, {"serials": ["h-9"]}),
        (1, {"selector": {"tags": ["sma"]}}),
    ],
)
def test_what_giving_back_does_not_complete_is_not_asked_for(
    farm: BoardFarm, count: int | None, more: dict[str, Any]
) -> None:
    farm.report("h", h_9={"state": "ready", "tags": ["sma"]})
    farm.reserve("third", 1, serials=["h-9"])
    farm.reserve("much", 4)
    farm.reserve("other", count, **more)
    assert wanted(farm) == []


def test_whoever_has_his_share_gets_no_more_of_others(farm: BoardFarm) -> None:
    farm.reserve("ann", 2)
    farm.reserve("bob", 2)
    farm.reserve("ann", 1)
    assert wanted(farm) == []


def test_the_last_board_of_a_lease_is_never_asked_for(farm: BoardFarm) -> None:
    for _ in range(4):
        farm.reserve("much", 1)
    farm.reserve("little", 1)
    assert wanted(farm) == []


def test_only_boards_that_suit_are_asked_for(farm: BoardFarm) -> None:
    farm.report("h", h_3={"state": "ready", "tags": ["sma"]})
    much = farm.reserve("much", 4)["id"]
    farm.reserve("little", 1, serials=["h-1"])
    farm.reserve("other", 1, selector={"tags": ["sma"]})
    assert wanted(farm) == [], "of one board the share of each is one"
    farm.end("little", next(row["id"] for row in farm.farm["board_lease"].values() if row["user"] == "little"))
    farm.reserve("little", 1)
    assert wanted(farm) == [(much, {"boards": 1, "serials": ["h-0", "h-1", "h-2"]})], "h-3 would be the other's"


def test_a_board_that_is_on_its_way_is_waited_for(farm: BoardFarm) -> None:
    farm.report("h", h_3={"state": "flashing"})
    farm.reserve("much", 3)
    farm.reserve("little", 1)
    farm.later(1)
    assert [row for row in farm.history if row["what"] == "wanted"] == []


def test_an_extension_unless_wanted(farm: BoardFarm) -> None:
    much = farm.reserve("much", 4, length_s=600)["id"]
    farm.later(60)
    assert extended(farm, "much", much)["until"] == farm.now + 600_000
    waiting = farm.reserve("little", 1)["id"]
    with pytest.raises(Refused, match="others wait") as error:
        extended(farm, "much", much)
    assert (error.value.field, error.value.status) == ("unless_wanted", 409)
    farm.later(60)
    assert farm.extend("much", much)["until"] == farm.now + 600_000, "a person may"
    farm.end("little", waiting)
    farm.later(60)
    assert extended(farm, "much", much)["until"] == farm.now + 600_000
    farm.reserve("much", 1)
    assert extended(farm, "much", much), "his own wish"


def test_a_wish_of_one_who_has_as_many_hinders_no_extension(farm: BoardFarm) -> None:
    ann = farm.reserve("ann", 2)["id"]
    farm.reserve("bob", 2)
    farm.reserve("bob", 1)
    assert extended(farm, "ann", ann)
