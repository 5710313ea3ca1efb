from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from broker.passwords import hashed
from broker.users import User
from commander.mining.grants import of_gateway
from tests.mining.rig import Node, Pool, PoolSentry
from tests.sentry.rig import HouseBroker, Peer

NODE, GATEWAY = "esp-1", "rig1"
USERS = (
    User(NODE, hashed(NODE), "node"),
    User(GATEWAY, hashed(GATEWAY), "node", tuple(of_gateway("farm", "house", NODE))),
)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[HouseBroker]:
    broker = HouseBroker(tmp_path / "broker", others=USERS)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def commander(broker: HouseBroker) -> Iterator[Peer]:
    peer = Peer(broker.port)
    yield peer
    peer.close()


@pytest.fixture
def make_pool() -> Iterator[Callable[..., Pool]]:
    """A pool that runs, with these options."""
    made: list[Pool] = []

    def make(*options: str) -> Pool:
        made.append(Pool("--shares-per-minute", "0", *options))
        made[-1].start()
        return made[-1]

    yield make
    for pool in made:
        pool.stop()


@pytest.fixture
def make_gateway(tmp_path: Path, broker: HouseBroker, commander: Peer) -> Iterator[Callable[..., PoolSentry]]:
    """A sentry that runs, with these FARMHAND_POOL_ settings."""
    made: list[PoolSentry] = []

    def make(*pools: Pool, **settings: Any) -> PoolSentry:
        gateway = PoolSentry(tmp_path / "sentry")
        gateway.pool = {"nodes": NODE, "servers": ",".join(pool.place for pool in pools), **settings}
        gateway.enrolled(f"mqtt://127.0.0.1:{broker.port}", commander.verify)
        gateway.start()
        made.append(gateway)
        return gateway

    yield make
    for gateway in made:
        if gateway.process is not None:
            gateway.stop()


@pytest.fixture
def make_node(broker: HouseBroker) -> Iterator[Callable[..., Node]]:
    made: list[Node] = []

    def make(devices: int = 1, **options: Any) -> Node:
        made.append(Node(broker.port, devices, **options))
        return made[-1]

    yield make
    for node in made:
        node.close()
