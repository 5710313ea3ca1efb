"""Leases that nobody uses end, if they say so."""

from typing import Any

import pytest

from commander.boards import leases
from tests.boards.board_farm import BoardFarm


@pytest.fixture
def farm() -> BoardFarm:
    return BoardFarm(h=3, g=1)


def test_a_lease_without_use_ends_if_it_says_so(farm: BoardFarm) -> None:
    idle, patient = farm.reserve(idle_s=60)["id"], farm.reserve()["id"]
    farm.later(59)
    farm.apply(leases.touch(farm.farm, idle, farm.moment()))
    farm.later(59)
    ((serial, node),) = farm.lease(idle)["boards"].items()
    farm.event(node, serial, "results", 1, idle, batch="b", results=[["e", 7]])
    farm.later(59)
    assert farm.state_of(idle) == "active"
    farm.later(1)
    assert (farm.lease(idle)["why"], farm.state_of(patient)) == ("idle", "active")


@pytest.mark.parametrize("change", [{"since": 120_000}, {"up": False}])
def test_while_its_boards_could_not_be_heard_a_lease_is_not_idle(farm: BoardFarm, change: dict[str, Any]) -> None:
    lease = farm.reserve(idle_s=60)["id"]
    change = {name: value if name == "up" else farm.now + value for name, value in change.items()}
    farm.farm["door"]["house"] |= change  # the commander was away, or the way to the boards is cut
    farm.later(121)
    assert farm.state_of(lease) == "active"
    farm.farm["door"]["house"] |= {"up": True, "since": farm.now}
    farm.later(59)
    assert farm.state_of(lease) == "active"
    farm.later(1)
    assert farm.lease(lease)["why"] == "idle"
