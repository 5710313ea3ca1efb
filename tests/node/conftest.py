from collections.abc import Iterator
from pathlib import Path

import pytest

from esp_node.build import build
from tests.conftest import program
from tests.node.rig import UMQTT, Broker, Peer


@pytest.fixture(scope="session")
def node_main(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """main.py of a built node."""
    assert program("micropython"), "the MicroPython interpreter is missing: run `make setup`"
    return build(tmp_path_factory.mktemp("node"), UMQTT)


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
