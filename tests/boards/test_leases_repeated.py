"""A wish that is made again with its id, as when its answer was lost."""

from typing import Any

import pytest

from commander.boards import leases
from commander.boards.wishes import Asker
from commander.effects import Refused, Row
from tests.boards.board_farm import BoardFarm, unchanged, wish

ID = "l-00000000000000aa"


@pytest.fixture
def farm() -> BoardFarm:
    return BoardFarm(h=4)


def again(farm: BoardFarm, user: str = "ann", **more: Any) -> list[Row]:
    """The wish once more: it must change nothing."""
    before = unchanged(farm.farm)
    found, effects = leases.reserve(
        farm.farm, Asker(user), wish(**{"id": ID, "count": 2, **more}), farm.limits, farm.moment()
    )
    assert (effects, unchanged(farm.farm)) == ([], before)
    return found


def test_it_is_answered_with_the_lease_as_it_is_now(farm: BoardFarm) -> None:
    first = farm.reserve("ann", 2, id=ID, args={"flush": 3})
    assert (first["id"], first["state"]) == (ID, "active")
    assert again(farm, args={"flush": 3}) == [first]
    farm.later(60)
    farm.extend("ann", ID)
    (later,) = again(farm, args={"flush": 3})
    assert later["until"] > first["until"]
    farm.report("h", h_3=None, h_2=None, h_1=None)
    farm.end("ann", ID)
    assert again(farm, args={"flush": 3})[0]["why"] == "ended", "though the farm has no two boards any more"
    assert farm.told(ID).count("asked") == 1
    assert len(farm.farm["board_lease"]) == 1


def test_a_place_in_the_queue_is_kept(farm: BoardFarm) -> None:
    farm.reserve("bob", 3)
    assert farm.reserve("ann", 2, id=ID)["state"] == "waiting"
    assert [row["state"] for row in again(farm)] == ["waiting"]
    with pytest.raises(Refused) as error:
        again(farm, wait=False)
    assert (error.value.field, error.value.status) == ("id", 409)


@pytest.mark.parametrize(
    "other",
    [
        {"user": "bob"},
        {"count": 1},
        {"kind": "variance"},
        {"args": {"flush": 3}},
        {"selector": {"tags": ["up5k"]}},
        {"length_s": 60},
        {"name": "other program"},
        {"count": None, "serials": ["h-0", "h-1"]},
        {"together": [{"kind": "pulsecount", "args": {}, "count": 1, "serials": [], "selector": {}}]},
    ],
)
def test_another_wish_needs_another_id(farm: BoardFarm, other: dict[str, Any]) -> None:
    farm.reserve("ann", 2, id=ID)
    with pytest.raises(Refused, match=ID) as error:
        again(farm, **other)
    assert (error.value.field, error.value.status) == ("id", 409)


def part(**more: Any) -> Row:
    return {"kind": "variance", "args": {}, "count": 1, "serials": [], "selector": {}, **more}


def test_a_gang_is_answered_in_the_order_of_its_wishes(farm: BoardFarm) -> None:
    together = [part(kind="pulsecount"), part(), part()]
    gang = farm.gang("ann", wish(id=ID, together=together))
    assert gang[0]["id"] == ID
    assert len({row["id"] for row in gang}) == 4
    found = again(farm, count=1, together=together)
    assert [row["kind"] for row in found] == ["pulsecount", "pulsecount", "variance", "variance"]
    assert {row["id"] for row in found} == {row["id"] for row in gang}
    for other in (together[:2], [*together, part()], [part(count=2), *together[1:]], []):
        with pytest.raises(Refused) as error:
            again(farm, count=1, together=other)
        assert error.value.field == "id"
    with pytest.raises(Refused, match="another wish"):
        again(farm, id=gang[1]["id"], count=1)
