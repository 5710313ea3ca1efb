"""Who is next: gangs, priority, fair share, places in the queue."""

import pytest

from commander.boards import views
from tests.boards.board_farm import BoardFarm, wish


@pytest.fixture
def farm() -> BoardFarm:
    """Two hosts: h with three boards, g with one."""
    return BoardFarm(h=3, g=1)


def test_a_gang_is_not_overtaken_by_small_wishes(farm: BoardFarm) -> None:
    small = [farm.reserve(f"u{n}")["id"] for n in range(4)]
    gang = farm.reserve("gang", 4)["id"]
    later = [farm.reserve(f"v{n}")["id"] for n in range(4)]
    for name in small:
        farm.settle()
        farm.end("boss", name, admin=True)
        farm.settle()
    assert farm.state_of(gang) == "active"
    assert {farm.state_of(name) for name in later} == {"waiting"}
    farm.end("gang", gang)
    farm.settle()
    assert {farm.state_of(name) for name in later} == {"active"}


def test_nobody_waits_behind_a_wish_that_no_end_of_a_lease_can_meet(farm: BoardFarm) -> None:
    farm.report("g", g_0={"state": "broken"})
    gang = farm.reserve("gang", 4)["id"]
    assert farm.reserve("bob", 3)["state"] == "active"
    assert farm.state_of(gang) == "waiting"


def test_boards_kept_for_a_gang_are_not_available(farm: BoardFarm) -> None:
    farm.reserve("ann", 1)
    farm.settle()
    assert views.available(farm.farm, {}, None, farm.now) == ["h-0", "h-1", "h-2"]
    assert views.available(farm.farm, {"node": "h"}, "variance", farm.now) == ["h-0", "h-1", "h-2"]
    assert views.available(farm.farm, {"tags": ["sma"]}, None, farm.now) == []
    farm.reserve("gang", 4)
    assert views.available(farm.farm, {}, None, farm.now) == []


def test_the_order_is_priority_then_who_had_less_then_age() -> None:
    farm = BoardFarm(h=1)
    first = farm.reserve("much", length_s=600)["id"]
    farm.later(300)
    second = farm.reserve("much")["id"]
    farm.later(1)
    third = farm.reserve("little")["id"]
    urgent = farm.reserve("boss", admin=True, priority=5)["id"]
    assert [row["id"] for row in views.lease_list(farm.farm, farm.now)[:3]] == [urgent, third, second]
    served = []
    for name in (first, urgent, third, second):
        assert farm.state_of(name) == "active"
        served.append(name)
        farm.end("boss", name, admin=True)
        farm.settle()


def test_whoever_had_much_does_not_wait_for_ever() -> None:
    farm = BoardFarm(h=1)
    farm.end("much", farm.reserve("much", length_s=600)["id"])
    farm.settle()
    running = farm.reserve("other", length_s=600)["id"]
    farm.later(500)
    farm.end("other", running)
    farm.settle()
    farm.reserve("u0", length_s=60)
    patient = farm.reserve("other")["id"]
    for number in range(1, 12):
        farm.settle()  # leased
        farm.later(60)
        farm.reserve(f"u{number}", length_s=60)
        farm.settle()  # ready, and given to the next
        if farm.state_of(patient) == "active":
            break
    assert 7 <= number <= 10, "500 s are about eight turns of a minute"


def test_place_in_the_queue_and_when_its_turn_comes(farm: BoardFarm) -> None:
    farm.reserve("ann", 3, selector={"node": "h"}, length_s=100)
    farm.reserve("bob", 1, length_s=300)
    farm.settle()
    gang = farm.reserve("cat", 4, length_s=50)["id"]
    behind = farm.reserve("dan", 1, length_s=50)["id"]
    shown = {row["id"]: (row["position"], row["eta"]) for row in views.lease_list(farm.farm, farm.now)}
    assert shown[gang] == (1, farm.now + 300_000)
    assert shown[behind] == (2, farm.now + 350_000)
    farm.report("g", g_0={"state": "broken"})
    row = views.one_lease(farm.farm, farm.lease(gang), farm.now)
    assert (row["position"], row["eta"]) == (1, None), "nobody knows when it is mended"
    active = views.lease_list(farm.farm, farm.now)[2]
    assert (active["state"], active["position"], active["eta"]) == ("active", None, None)
    assert {board["node"] for board in active["boards"]} <= {"h", "g"}


def test_a_place_is_the_place_in_which_one_is_served(farm: BoardFarm) -> None:
    """Each time that ann is served puts back her next wish."""
    farm.reserve("all", 4, length_s=100)
    farm.settle()
    names: dict[str, str] = {}
    for user in ("ann", "ann", "ann", "bob"):
        farm.later(1)
        names[farm.reserve(user, 4, length_s=1_000)["id"]] = user
    waiting = [views.one_lease(farm.farm, farm.lease(name), farm.now) for name in names]
    assert [row["position"] for row in waiting] == [1, 3, 4, 2]
    for _ in range(60):
        farm.later(100)
        farm.settle()
    for row in waiting[:1] + waiting[3:]:
        assert abs(farm.lease(row["id"])["begun"] - row["eta"]) <= 100_000, row
    served = sorted(names, key=lambda name: farm.lease(name)["begun"])
    assert [names[name] for name in served[:2]] == ["ann", "bob"]


def test_a_gang_is_expected_when_the_first_boards_that_complete_it_are_free(farm: BoardFarm) -> None:
    """The board that is free first is the only one that suits the second wish."""
    farm.reserve("bob", 1, serials=["g-0"], length_s=100)
    farm.reserve("bob", 1, serials=["h-0"], length_s=200)
    farm.reserve("bob", 2, selector={"node": "h"}, length_s=300)
    other = {"kind": "pulsecount", "args": {}, "count": 1, "serials": [], "selector": {"node": "g"}}
    gang = farm.gang("ann", {**wish(length_s=50), "together": [other]})
    for each in gang:
        row = views.one_lease(farm.farm, farm.lease(each["id"]), farm.now)
        assert (row["position"], row["eta"]) == (1, farm.now + 200_000)
    behind = farm.reserve("cat", 1)["id"]
    assert views.one_lease(farm.farm, farm.lease(behind), farm.now)["eta"] == farm.now + 250_000


def test_a_clock_that_is_put_back_gives_nobody_anything(farm: BoardFarm) -> None:
    lease = farm.reserve("ann", 3)["id"]
    farm.later(-3_600)
    farm.end("ann", lease)
    assert farm.farm["board_usage"]["ann"]["board_ms"] == 0
