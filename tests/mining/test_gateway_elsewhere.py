"""A gateway at home for workers of another domain: everything crosses the bridge."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from commander.mining.grants import of_gateway
from tests.broker.farm import RunningFarm
from tests.mining.rig import Node, Pool, PoolSentry
from tests.support.farms import HOUSE_AND_BARN
from tests.support.ports import with_ports
from tests.support.waiting import wait_until

pytestmark = pytest.mark.broker


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[RunningFarm]:
    farm = RunningFarm(tmp_path / "farm", with_ports(HOUSE_AND_BARN)).start()
    yield farm
    farm.stop()


def test_jobs_and_shares_cross_the_bridge(farm: RunningFarm, tmp_path: Path) -> None:
    farm.give("barn", [("esp-1", "node", [])])
    farm.give("house", [("rig1", "node", of_gateway("farm", "barn", "esp-1"))])
    pool = Pool("--shares-per-minute", "0")
    pool.start()
    node = Node(farm.farm.domains["barn"].port, 2, copies=2, domain="barn")
    gateway = PoolSentry(tmp_path / "sentry")
    gateway.pool = {"nodes": "barn/esp-1", "servers": pool.place}
    gateway.enrolled(f"mqtt://127.0.0.1:{farm.farm.domains['house'].port}", farm.secrets.ed25519["public"])
    gateway.start()
    try:
        node.judged(50)
        node.rest()
        wait_until("the same count on both sides", lambda: pool.statistics()["accepted"] == len(node.words("GOOD")))
        assert pool.statistics()["refused"] == 0
    finally:
        gateway.stop()
        node.close()
        pool.stop()
