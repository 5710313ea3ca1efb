"""A node that crashes again and again starts in safe mode, says so, and comes back from it."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest

from schema import fleet
from tests.conftest import ROOT, program
from tests.node.depot import Board, Depot, Files, renamed, software
from tests.node.rig import SELF, Broker, Peer, credential_config
from tests.support.waiting import wait_until

BOMB = """
NAME, FIELDS, UNITS, DIGITS = "bomb", ("value",), ("",), (0,)
def create(node, options):
    raise RuntimeError("bomb went off")
"""


MACHINE = """
from esp_node.virtual import board
board.live()
from esp_node.virtual.machine import DEEPSLEEP_RESET, WDT, WDT_RESET, reset_cause
"""


class VirtualBoard(Board):
    """A node on the virtual board, which has a watchdog, in real time; the virtual board takes a heap of its own."""

    def start(self) -> None:
        folder = self.config.parent
        (folder / "board.json").write_text("{}")
        argv = [str(program("micropython")), "-X", "heapsize=400k", str(folder / "lib/main.py"), str(self.config)]
        env = {**os.environ, "MICROPYPATH": str(folder), "FARMHAND_BOARD": str(folder / "board.json")}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(argv, stdout=log, stderr=log, env=env)


class Alerts:
    """Every payload of alert/safe-mode, the empty one too."""

    def __init__(self, peer: Peer):
        self.heard: list[Any] = []
        peer.client.message_callback_add(SELF + "alert/safe-mode", self._take)

    def _take(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        self.heard.append(json.loads(message.payload) if message.payload else None)


@pytest.fixture
def alerts(peer: Peer) -> Alerts:
    return Alerts(peer)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The node's folder, with its software in the slot `lib`, as on a board."""
    return tmp_path / "node"


def _install(files: dict[str, bytes], slot: Path) -> None:
    for name, blob in files.items():
        path = slot / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(blob)


@pytest.fixture
def boards() -> Iterator[list[Board]]:
    boards: list[Board] = []
    yield boards
    for board in boards:
        board.stop()


def born(peer: Peer, sensors: list[str], since: int = 0) -> None:
    peer.wait("self/info", lambda info: info["sensors"] == sensors, since)


def with_a_bomb(broker: Broker, peer: Peer, folder: Path, main: Path, boards: list[Board]) -> Files:
    """Start a node that crashes until it is in safe mode; its software without the bomb."""
    files = software(main.parent)
    _install({**files, "esp_node/sensors/bomb.py": BOMB.encode()}, folder / "lib")
    config = credential_config(broker.port, sensors={"load": True, "bomb": True}, interval_s=1)
    boards.append(Board(main, folder, config))
    born(peer, [])
    return files


def test_crashes_safe_mode_new_settings_and_back(
    broker: Broker, peer: Peer, alerts: Alerts, folder: Path, shipped_main: Path, boards: list[Board]
) -> None:
    with_a_bomb(broker, peer, folder, shipped_main, boards)
    wait_until("three crashes", lambda: boards[0].codes == [1, 1, 1])
    wait_until("the alert", lambda: alerts.heard)
    assert alerts.heard[0]["text"] == "3 crashes in a row, the last: RuntimeError: bomb went off"
    assert alerts.heard[0]["severity"] == "error"
    peer.command(SELF + "cmd/ping", "c1")
    assert peer.wait("ack/c1")["status"] == "done"
    peer.command(SELF + "cmd/logs", "c2")
    assert any("safe mode" in line for line in peer.wait("ack/c2")["result"]["lines"])
    topic = SELF + "desired/settings"
    body = {"rev": 1, "epoch": 5, "data": {"sensors": {"bomb": False}}}
    peer.publish(topic, peer.sealed(fleet.DESIRED, topic, body), True)
    peer.wait("reported/settings", lambda data: data["status"] == "applied")
    assert not any(topic.startswith(SELF + "tele/load") for topic, _, _ in peer.heard), "no sensors in safe mode"
    count = len(peer.heard)
    peer.command(SELF + "cmd/restart", "c3")
    born(peer, ["load"], count)
    wait_until("the alert to be cleared", lambda: alerts.heard[-1] is None)
    assert boards[0].slots()["crashes"] == 0


def test_update_out_of_safe_mode(
    broker: Broker, peer: Peer, alerts: Alerts, folder: Path, shipped_main: Path, boards: list[Board]
) -> None:
    files = with_a_bomb(broker, peer, folder, shipped_main, boards)
    wait_until("the alert", lambda: alerts.heard)
    depot = Depot(peer)
    mended = BOMB.replace('raise RuntimeError("bomb went off")', "return Bomb()")
    mended += "class Bomb:\n    def get(self):\n        return (7,)\n"
    depot.desire(1, depot.release("0.2.0", {**renamed(files, "0.2.0"), "esp_node/sensors/bomb.py": mended.encode()}))
    depot.reported(1, "applied")
    born(peer, ["bomb", "load"])
    peer.wait("tele/bomb", lambda data: data["value"] == 7)
    wait_until("the alert to be cleared", lambda: alerts.heard and alerts.heard[-1] is None)


def test_power_cuts_while_starting_count_and_a_confirmed_start_ends_the_row(
    broker: Broker, peer: Peer, folder: Path, shipped_main: Path, boards: list[Board]
) -> None:
    boards.append(Board(shipped_main, folder, credential_config(broker.port, interval_s=1)))
    for _ in range(3):
        count = len(peer.heard)
        born(peer, ["connectivity", "load"], count)
        boards[0].process.kill()
    born(peer, [], count)
    wait_until("the start to be confirmed", lambda: boards[0].slots()["run"] == 0)
    count = len(peer.heard)
    boards[0].process.kill()  # the power again, and this time for good
    born(peer, ["connectivity", "load"], count)
    assert boards[0].slots()["crashes"] == 0


HANG = """
import os
NAME, FIELDS, UNITS, DIGITS = "hang", ("value",), ("",), (0,)
class Hang:
    def get(self):
        while "hang" in os.listdir("."):
            pass
        return (7,)
def create(node, options):
    return Hang()
"""


def test_watchdog_bites_a_node_that_hangs_and_leaves_others_alone(
    broker: Broker, peer: Peer, alerts: Alerts, folder: Path, shipped_main: Path, boards: list[Board]
) -> None:
    virtual = {str(path.relative_to(ROOT)): path.read_bytes() for path in (ROOT / "esp_node/virtual").rglob("*.py")}
    starting = {name: (shipped_main.parent / name).read_bytes() for name in ("main.py", "slots.mpy")}
    files = {**software(shipped_main.parent), **virtual, **starting, "esp_node/sensors/hang.py": HANG.encode()}
    _install(files, folder / "lib")
    (folder / "machine.py").write_text(MACHINE)
    config = credential_config(broker.port, sensors={"hang": True}, interval_s=0.5, watchdog_s=2)
    boards.append(VirtualBoard(shipped_main, folder, config))
    peer.wait("tele/hang", lambda data: data["seq"] > 10)
    assert boards[0].codes == [], "fed for more than its time-out"
    (folder / "hang").touch()
    born(peer, [])
    assert len(boards[0].codes) == 3
    wait_until("the alert", lambda: alerts.heard)
    assert alerts.heard[0]["text"] == "3 crashes in a row, the last: the watchdog bit"
