"""A node in the MicroPython interpreter renews its own software, and comes back from what does not work."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import program
from tests.node.depot import Board, Depot, Files, renamed, software
from tests.node.rig import Broker, Peer, credential_config
from tests.support.waiting import wait_until

Start = Callable[..., Board]


@pytest.fixture
def files(node_main: Path) -> Files:
    return software(node_main.parent)


@pytest.fixture
def depot(peer: Peer) -> Depot:
    return Depot(peer)


@pytest.fixture
def start(node_main: Path, tmp_path: Path, broker: Broker) -> Iterator[Start]:
    boards: list[Board] = []

    def start(**more: Any) -> Board:
        config = credential_config(broker.port, interval_s=1, trial_s=6, **more)
        boards.append(Board(node_main, tmp_path / "node", config))
        return boards[-1]

    yield start
    for board in boards:
        board.stop()


def born(peer: Peer, version: str, since: int = 0) -> None:
    peer.wait("self/info", lambda info: info["software"].endswith(version), since)


def test_update_there_and_on_to_the_next(start: Start, peer: Peer, depot: Depot, files: Files) -> None:
    board = start()
    born(peer, "0.1.0")
    depot.desire(1, depot.release("0.2.0", renamed(files, "0.2.0")))
    born(peer, "0.2.0")
    assert depot.reported(1, "pending")["data"]["version"] == "0.2.0"
    assert depot.fetched() == ["manifest", "esp_node/start.mpy"], "the rest is in the slot in use"
    assert depot.reported(1, "applied")["data"]["slot"] == "lib2"
    assert board.slots()["good"] == "lib2"
    count = len(peer.heard)
    more = {**renamed(files, "0.3.0"), "esp_node/sensors/new_one.py": b"NAME = 'new_one'\n" * 300}
    depot.desire(2, depot.release("0.3.0", more))
    born(peer, "0.3.0", count)
    assert depot.reported(2, "applied")["data"]["slot"] == "lib"
    assert (board.config.parent / "lib/esp_node/sensors/new_one.py").stat().st_size == 5100
    assert not (board.config.parent / "lib/part").exists()
    assert board.codes == [5, 5]


def test_corrupted_blocks_are_fetched_again_then_given_up(start: Start, peer: Peer, depot: Depot, files: Files) -> None:
    bad = [b"?" for _ in range(2)]
    depot.tamper = lambda name, block: (bad.pop() + block[1:]) if name == "esp_node/start.mpy" and bad else block
    board = start()
    depot.desire(1, depot.release("0.2.0", renamed(files, "0.2.0")))
    depot.reported(1, "applied")
    assert depot.fetched().count("esp_node/start.mpy") > 1
    depot.tamper = lambda name, block: block[:-1] + b"?" if name == "esp_node/start.mpy" else block
    depot.desire(2, depot.release("0.3.0", renamed(files, "0.3.0")))
    assert depot.reported(2, "failed")["error"] == "esp_node/start.mpy: its sha256 is wrong"
    assert board.slots()["trial"] is None
    depot.tamper = lambda _, block: block
    depot.desire(3, depot.release("0.3.0", renamed(files, "0.3.0")))
    depot.reported(3, "applied")


def test_broker_and_node_killed_in_the_middle(broker: Broker, start: Start, peer: Peer, depot: Depot) -> None:
    board = start()
    names = [f"esp_node/sensors/s{i}.py" for i in range(12)]
    document = depot.release("0.2.0", {name: f"NAME = '{name}'\n".encode() * 200 for name in names})
    depot.tamper = lambda name, block: None if name == names[4] else block
    depot.desire(1, document)
    wait_until("the fifth file to be asked for", lambda: names[4] in depot.fetched())
    broker.stop(signal.SIGKILL)
    depot.tamper = lambda name, block: None if name == names[8] else block
    broker.start()
    depot.desire(1, document)  # this broker kept nothing on disk; the commander says it again
    wait_until("the ninth file to be asked for", lambda: names[8] in depot.fetched())
    before = len(depot.asked)
    depot.tamper = lambda _, block: block
    board.process.kill()
    depot.reported(1, "failed")  # all came, and is no node at all
    later = [name for name, offset, _ in depot.asked[before:] if offset == 0]
    assert set(later) == set(names[8:]), "what was on flash is not fetched again"
    assert depot.fetched().count("manifest") == 1


@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [
        ("esp_node/run.py", b"raise RuntimeError('bang')", "RuntimeError: bang"),
        ("esp_node/run.py", b"def main(path):\n    return 3", "it ended with code 3"),
        ("esp_node/run.py", b"def main(path):\n    return 0", "a start did not get as far as the broker"),
        ("esp_node/start.py", None, "no connection within 6 s"),
    ],
)
def test_what_does_not_work_is_rolled_back(
    start: Start, peer: Peer, depot: Depot, files: Files, name: str, code: bytes | None, reason: str
) -> None:
    deaf = b"""from esp_node import start2
def begin(node, path):
    start2.begin(node, path)
    node.given["brokers"] = [["127.0.0.1", 9]]
"""
    board = start()
    born(peer, "0.1.0")
    broken = {**files, name: code or deaf}
    original = broken.pop(name.replace(".py", ".mpy"))
    if code is None:
        broken["esp_node/start2.mpy"] = original
    depot.desire(1, depot.release("0.2.0", broken))
    wait_until("the trial", lambda: board.slots().get("trial") == "lib2" or len(board.codes) > 0)
    count = len(peer.heard)
    assert depot.reported(1, "failed")["error"] == reason
    born(peer, "0.1.0", count)
    assert len(board.codes) == 4
    assert (board.slots()["good"], board.slots()["trial"]) == ("", None)
    depot.desire(2, depot.release("0.3.0", renamed(files, "0.3.0")))  # and is no obstacle to the next
    depot.reported(2, "applied")


def test_newer_revision_replaces_the_update_under_way(start: Start, peer: Peer, depot: Depot, files: Files) -> None:
    depot.tamper = lambda name, block: None if name == "esp_node/start.mpy" else block
    start()
    depot.desire(1, depot.release("0.2.0", renamed(files, "0.2.0")))
    wait_until("the first to wait for its block", lambda: "esp_node/start.mpy" in depot.fetched())
    depot.tamper = lambda _, block: block
    depot.desire(2, depot.release("0.3.0", renamed(files, "0.3.0")))
    depot.reported(2, "applied")
    born(peer, "0.3.0")
    assert not any(data["software"].endswith("0.2.0") for topic, data, _ in peer.heard if topic.endswith("/info"))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"manifest": "x" * 64}, "manifest: must be a sha256 of 64 hex digits"),
        ({"size": 0}, "size: must be a whole number from 1 to 65536"),
        ({"version": 2}, "version: must be text of 1 to 64 characters"),
        ({"more": 1}, "software: must be an object of version, manifest and size"),
    ],
)
def test_wrong_documents_are_refused(
    start: Start, peer: Peer, depot: Depot, change: dict[str, Any], problem: str
) -> None:
    start()
    depot.desire(1, {"version": "0.2.0", "manifest": "0" * 64, "size": 100, **change})
    assert depot.reported(1, "refused")["error"] == problem


@pytest.mark.parametrize("name", ["../main.py", "/esp_node/a.py", "main.py", "esp_node/../../a.py", "config.json"])
def test_manifest_that_reaches_outside_the_slot_fails(start: Start, peer: Peer, depot: Depot, name: str) -> None:
    board = start()
    depot.desire(1, depot.release("0.2.0", {"esp_node/a.py": b"a", name: b"b"}))
    assert depot.reported(1, "failed")["error"] == f"manifest: the name {name} is not allowed"
    assert board.slots()["trial"] is None
    depot.desire(2, {"version": "0.2.0", "manifest": "0" * 64, "size": 100})
    assert depot.reported(2, "failed")["error"] == "manifest: the commander has no such file"


class SmallFlash(Board):
    """A node whose folder is a file system of 1 MB, which nobody else sees but through /proc."""

    def start(self) -> None:
        folder = self.config.parent  # gone with the process: no restart may be needed for want of heap
        run = f"mount -t tmpfs -o size=1m tmpfs {folder} && cat > {self.config} && exec {program('micropython')}"
        argv = ["unshare", "-rm", "sh", "-c", f"{run} -X heapsize=128k {self.main} {self.config} < /dev/null"]
        config = self.config.read_bytes()
        with self.log.open("ab") as log:
            env = {**os.environ, "MICROPYPATH": ""}
            self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=log, stderr=log, env=env)
        assert self.process.stdin
        self.process.stdin.write(config)
        self.process.stdin.close()

    def inside(self) -> Path:
        return Path(f"/proc/{self.process.pid}/root{self.config.parent}")


def test_full_flash(broker: Broker, node_main: Path, tmp_path: Path, peer: Peer, depot: Depot) -> None:
    if subprocess.run(["unshare", "-rm", "true"], check=False).returncode:
        pytest.skip("this machine allows no file systems of one's own")
    board = SmallFlash(node_main, tmp_path / "node", credential_config(broker.port, interval_s=1))
    try:
        big = {f"esp_node/sensors/big{i}.py": bytes([i]) * 300_000 for i in range(4)}
        depot.desire(1, depot.release("0.2.0", big))
        assert depot.reported(1, "failed")["error"].startswith("no room on flash: needs 1")
        assert depot.fetched() == ["manifest"], "found out before the first file"

        def fill(name: str, block: bytes) -> bytes:  # as another program would, in the middle of it
            if name == "esp_node/sensors/big1.py" and not (board.inside() / "filler").exists():
                with contextlib.suppress(OSError), (board.inside() / "filler").open("wb", 0) as filler:
                    while True:
                        filler.write(bytes(1000))
            return block

        depot.tamper = fill
        del big["esp_node/sensors/big2.py"], big["esp_node/sensors/big3.py"]
        depot.desire(2, depot.release("0.2.0", big))
        assert depot.reported(2, "failed")["error"] == "esp_node/sensors/big1.py: no room on flash"
        assert board.codes == []
        (board.inside() / "filler").unlink()
        depot.tamper = lambda _, block: block
        depot.desire(3, depot.release("0.2.0", big))
        depot.reported(3, "pending")
        wait_until("the restart into it", lambda: board.codes == [5])
    finally:
        board.stop()
