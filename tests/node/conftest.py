from collections.abc import Iterator
from pathlib import Path

import pytest

from esp_node.build import build
from tests.conftest import program
from tests.node.rig import UMQTT, Broker, Peer


@pytest.fixture(scope="session")
def node_main(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """main.py of a node whose modules are each by themselves."""
    assert program("micropython"), "the MicroPython interpreter is missing: run `make setup`"
    return build(tmp_path_factory.mktemp("node"), UMQTT, bundles=False)


@pytest.fixture(scope="session")
def shipped_main(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """main.py of a node as it is shipped: what it always holds is bundled."""
    return build(tmp_path_factory.mktemp("shipped"), UMQTT)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(tmp_path)
    yield broker
    broker.stop()


@pytest.fixture
def peer(broker: Broker) -> Iterator[Peer]:
    peer = Peer(broker.port)
    yield peer
    peer.stop()
