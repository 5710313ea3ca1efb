import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from esp_node import firmware
from tests.conftest import program
from tests.node import builds
from tests.node.rig import Broker, NodeProcess, Peer, Start
from tests.node.serial_board import Make, SerialBoard


@pytest.fixture(scope="session")
def node_main(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """main.py of a node whose modules are each by themselves."""
    assert program("micropython"), "the MicroPython interpreter is missing: run `make setup`"
    return builds.modules(tmp_path_factory.mktemp("node"))


@pytest.fixture(scope="session")
def shipped_main(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """main.py of a node as it is shipped: what it always holds is bundled."""
    return builds.shipped(tmp_path_factory.mktemp("shipped"))


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


@pytest.fixture
def start(shipped_main: Path, tmp_path: Path) -> Iterator[Start]:
    nodes: list[NodeProcess] = []

    def start(config: dict[str, Any], heap: str = "") -> NodeProcess:
        nodes.append(NodeProcess(shipped_main, tmp_path / "node", config, heap))
        return nodes[-1]

    yield start
    for node in nodes:
        node.stop()


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The firmware."""
    return builds.board_firmware(tmp_path_factory.mktemp("firmware"))


@pytest.fixture
def make_board(tmp_path: Path) -> Iterator[Make]:
    boards: list[SerialBoard] = []

    def make(files: dict[str, bytes] | None = None, made: Path | None = None, **more: Any) -> SerialBoard:
        """A board with `files`, and the firmware `made` in its lib."""
        flash = tmp_path / "flash"
        flash.mkdir()
        if made:
            shutil.copytree(made, flash / "lib", ignore=shutil.ignore_patterns("*.json", *firmware.ROOT_FILES))
        for name, data in (files or {}).items():
            (flash / name).parent.mkdir(parents=True, exist_ok=True)
            (flash / name).write_bytes(data)
        boards.append(SerialBoard(tmp_path, more.pop("flash", flash), **more))
        return boards[-1]

    yield make
    for board in boards:
        board.stop()
