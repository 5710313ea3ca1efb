"""What a sentry tells of leases: of those of its own boards alone."""

import pytest

from commander.boards.calls import FAILED, RESULTS
from tests.boards.board_farm import BoardFarm


@pytest.fixture
def farm() -> BoardFarm:
    return BoardFarm(h=2, g=1)


def told(farm: BoardFarm, node: str, serial: str, seq: int, lease: str) -> tuple[int, int]:
    """How much is kept of a result and of another event: (results, history)."""
    before = len(farm.results), len(farm.history)
    farm.event(node, serial, RESULTS, seq, lease, batch="b", results=[["e", 7]])
    farm.event(node, serial, "hello", seq + 1, lease)
    return len(farm.results) - before[0], len(farm.history) - before[1]


def test_what_is_told_of_anothers_lease_is_dropped_and_is_no_use_of_it(farm: BoardFarm) -> None:
    lease = farm.reserve("ann", None, serials=["g-0"], idle_s=60)["id"]
    farm.later(59)
    for seq, (node, serial) in enumerate((("h", "h-0"), ("h", "g-0"), ("g", "h-0"))):
        assert told(farm, node, serial, 10 * seq + 1, lease) == (0, 0)
    farm.event("h", "h-0", FAILED, 99, lease, batch="b", evaluation="e", problem="so")
    assert not farm.results
    farm.later(1)
    assert farm.lease(lease)["why"] == "idle"


def test_what_comes_late_counts(farm: BoardFarm) -> None:
    lease = farm.reserve("ann", 2, serials=["h-0", "h-1"])["id"]
    farm.end("ann", lease, "h-0")
    assert told(farm, "h", "h-0", 1, lease) == (1, 1), "given back"
    farm.end("ann", lease)
    assert told(farm, "h", "h-1", 3, lease) == (1, 1), "the lease has ended"
    assert told(farm, "g", "h-1", 1, lease) == (0, 0)
    assert told(farm, "h", "h-1", 5, "l-forgotten") == (1, 1)
    assert told(farm, "h", "h-1", 7, "") == (1, 1)


def test_a_board_that_moves_within_its_lease_is_heard_from_all_its_hosts(farm: BoardFarm) -> None:
    lease = farm.reserve("ann", None, serials=["g-0"])["id"]
    assert told(farm, "h", "g-0", 1, lease) == (0, 0)
    for old, new in (("g", "h"), ("h", "g"), ("g", "h")):
        farm.report(old, g_0=None)
        farm.report(new, g_0={"state": "ready"})
        farm.later(1)
        assert farm.lease(lease)["boards"] == {"g-0": new}
    assert told(farm, "h", "g-0", 3, lease) == told(farm, "g", "g-0", 1, lease) == (1, 1)
    assert farm.lease(lease)["had"] == {"g-0": ["g", "h"]}
