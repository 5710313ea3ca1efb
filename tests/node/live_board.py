"""A node on the virtual board in real time, and a peer that stores what it sends, as the commander does."""

import json
import os
import subprocess
import threading
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt

from schema import fleet
from tests.conftest import program
from tests.node import builds
from tests.node.depot import SELF, Board
from tests.node.rig import Peer
from tests.support.waiting import PATIENCE, wait_until

# Sensors that only tests have.
HANG = """
import os
NAME, FIELDS, UNITS, DIGITS = "hang", ("value",), ("",), (0,)
class Hang:
    def __init__(self, path):
        self.path = path
    def get(self):
        while True:
            try:
                os.remove(self.path)
            except OSError:
                return (7,)
            while True:
                pass
def create(node, options):
    return Hang(options["path"])
"""
NAPS = """
import machine
NAME, FIELDS, UNITS, DIGITS = "naps", ("slept_ms",), ("ms",), (0,)
class Naps:
    def get(self):
        return (machine.slept_ms,)
def create(node, options):
    return Naps()
"""


def build_board(folder: Path) -> Path:
    """Build a node as it is shipped, with the virtual board and the sensors above. Returns its main.py."""
    main = builds.shipped(folder, virtual=True)
    for name, text in (("hang", HANG), ("naps", NAPS)):
        (folder / "esp_node" / "sensors" / f"{name}.py").write_text(text)
    return main


class LiveBoard(Board):
    """A node whose `machine`, `time` and `network` are those of the board that `describe` describes. Started again
    whenever it ends; `main` is of a build with the virtual board in it."""

    def __init__(self, main: Path, folder: Path, config: dict[str, Any], **board: Any):
        folder.mkdir()
        self._power = threading.Event()
        self._power.set()
        self.board = folder / "board.json"
        self.describe(**board)
        super().__init__(main, folder, config)

    def describe(self, **board: Any) -> None:
        new = self.board.with_suffix(".new")
        new.write_text(json.dumps(board))
        new.rename(self.board)

    def file(self, name: str) -> Path:
        return self.config.parent / name

    def asleep(self) -> None:
        """Returns when the board has gone to sleep; it stays so until `wake`."""
        self._power.clear()
        ended = len(self.codes)
        wait_until("deep sleep", lambda: self.process.poll() is not None and len(self.codes) > ended)

    def wake(self) -> None:
        self._power.set()

    def stop(self) -> None:
        self.off.set()
        self._power.set()
        super().stop()

    def start(self) -> None:
        self._power.wait()
        if self.off.is_set():
            return
        library = self.main.parent
        path = f"{library}/esp_node/virtual:{library}:.frozen"
        env = {**os.environ, "MICROPYPATH": path, "FARMHAND_BOARD": str(self.board)}
        # The virtual board lies in the same heap.
        argv = [str(program("micropython")), "-X", "heapsize=192k", str(self.main), str(self.config)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(argv, stdout=log, stderr=log, env=env)


class Keeper(Peer):
    """Says of each stream how much of it is stored, whenever there is more. `order`: (stream, seq) as they came for the
    first time."""

    def __init__(self, port: int):
        self.order: list[tuple[str, int]] = []
        super().__init__(port)

    def _take(self, client: mqtt.Client, data: Any, message: mqtt.MQTTMessage) -> None:
        super()._take(client, data, message)
        if not message.topic.startswith(SELF) or not message.payload.startswith(b"{"):
            return
        body = json.loads(message.payload)
        stream = body.get("stream")
        seqs = range(body["from"], body["to"] + 1) if "why" in body else [body["seq"]] if "seq" in body else []
        new = [(stream, seq) for seq in seqs if (stream, seq) not in self.order]
        if not seqs:
            return
        self.order += new
        stored = {seq for named, seq in self.order if named == stream}
        mark = next(seq for seq in range(len(stored) + 1, 0, -1) if set(range(1, seq)) <= stored) - 1
        client.publish(SELF + "stored", json.dumps({"marks": {stream: mark}}).encode(), 1, True)

    def desire(self, rev: int, settings: dict[str, Any]) -> None:
        topic = SELF + "desired/settings"
        body = {"rev": rev, "epoch": 5, "data": settings}
        self.publish(topic, self.sealed(fleet.DESIRED, topic, body), True)

    def events_heard(self) -> list[dict[str, Any]]:
        """Every event and reading that came, repetitions included."""
        return [data for topic, data, _ in self.heard if isinstance(data, dict) and data.get("seq")]


def standing(port: int) -> set[str]:
    """Topics of this node on which something is retained."""
    topics: set[str] = set()
    done = threading.Event()

    def take(client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        topics.add(message.topic.removeprefix(SELF))
        if message.topic == "end":  # sent behind the answer to the subscription, with which all these come
            done.set()

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.on_message = take
    client.on_connect = lambda client, *_: client.subscribe([(SELF + "#", 1), ("end", 1)])
    client.on_subscribe = lambda client, *_: client.publish("end", b"", 1)
    client.connect("127.0.0.1", port)
    client.loop_start()
    assert done.wait(PATIENCE)
    client.disconnect()
    client.loop_stop()
    return topics
