"""What an update needs in a test: blobs that a peer serves as the commander does, and somebody who starts the node
again whenever it ends, as a board does."""

import hashlib
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack
import paho.mqtt.client as mqtt

from schema import fleet
from tests.node.rig import SELF, NodeProcess, Peer

Files = dict[str, bytes]


class Depot:
    """Serves blobs to esp-1. `asked` is each request in order; `tamper(name of the file, block)` may change a block,
    or return None to keep silent."""

    def __init__(self, peer: Peer):
        self.peer = peer
        self.blobs: dict[str, bytes] = {}
        self.names: dict[str, str] = {}
        self.asked: list[tuple[str, int, int]] = []
        self.tamper: Callable[[str, bytes], bytes | None] = lambda _, block: block
        peer.client.message_callback_add(SELF + "blob/get", self._answer)

    def put(self, name: str, blob: bytes) -> str:
        digest = hashlib.sha256(blob).hexdigest()
        self.blobs[digest], self.names[digest] = blob, name
        return digest

    def release(self, version: str, files: Files) -> dict[str, Any]:
        """The software document for these files."""
        listed = {name: [self.put(name, blob), len(blob)] for name, blob in files.items()}
        manifest = json.dumps({"version": version, "files": listed}).encode()
        return {"version": version, "manifest": self.put("manifest", manifest), "size": len(manifest)}

    def desire(self, rev: int, document: Any) -> None:
        topic = SELF + "desired/software"
        body = {"rev": rev, "epoch": 5, "data": document}
        self.peer.publish(topic, self.peer.sealed(fleet.DESIRED, topic, body), True)

    def reported(self, rev: int, status: str, since: int = 0) -> Any:
        def fits(data: Any) -> bool:
            return data["rev"] == rev and data["status"] == status

        return self.peer.wait("reported/software", fits, since)

    def fetched(self) -> list[str]:
        """Names of the files that were asked for from their beginning, in order."""
        return [name for name, offset, _ in self.asked if offset == 0]

    def _answer(self, client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        request = json.loads(message.payload)
        digest, at, size = request["sha256"], request["offset"], request["size"]
        self.asked.append((self.names.get(digest, "?"), at, size))
        blob = self.blobs.get(digest, b"")
        block = self.tamper(self.names.get(digest, "?"), blob[at : at + size])
        if block is not None:
            answer = {"sha256": digest, "offset": at, "total": len(blob), "data": block}
            packed: Any = msgpack.packb(answer)
            client.publish(SELF + "blob/data", packed, 1)


class Board(NodeProcess):
    """A node that is started again whenever it ends, or is killed. `codes`: what it ended with each time."""

    def __init__(self, main: Path, folder: Path, config: dict[str, Any]):
        self.codes: list[int] = []
        self.off = threading.Event()
        super().__init__(main, folder, config)
        self.keeper = threading.Thread(target=self._keep)
        self.keeper.start()

    def start(self) -> None:
        self.heap = os.environ.get("FARMHAND_NODE_HEAP", "72k")  # 38 KB on a board
        super().start()

    def _keep(self) -> None:
        while not self.off.is_set():
            self.codes.append(self.process.wait())
            if not self.off.is_set():
                self.start()

    def slots(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads((self.config.parent / "slots.json").read_text())
        return value

    def stop(self) -> None:
        self.off.set()
        self.process.kill()
        self.keeper.join()
        super().stop()


def software(folder: Path) -> Files:
    """The files of a built node, as a release holds them."""
    found = sorted(path for path in folder.rglob("*.*py") if path.stem not in ("main", "slots"))
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def renamed(files: Files, version: str) -> Files:
    """The same software under another version (five characters, as 0.2.0)."""
    old, new = b"farmhand esp_node 0.1.0", b"farmhand esp_node " + version.encode()
    (name,) = (name for name, data in files.items() if old in data)
    return {**files, name: files[name].replace(old, new)}
