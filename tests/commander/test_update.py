"""`farmhand node update` against a real commander and broker; the nodes are spoken for here, their files are real."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from queue import Empty
from typing import Any

import pytest

from commander.effects import Put
from schema import fleet, wire
from tests.commander.api import Machine
from tests.commander.line import node_row
from tests.commander.serving import Serving
from tests.conftest import ROOT, program

pytestmark = pytest.mark.broker
UMQTT = ROOT / ".local" / "micropython"


class Board(threading.Thread):
    """A node that pulls what the document `software` names and reports as `answer` says: status and error."""

    def __init__(self, serving: Serving, name: str):
        super().__init__(daemon=True)
        self.machine = Machine(serving, name)
        self.name_of_node = name
        row = node_row(name, kind="esp", password_hash=serving.service.flow.farm["node"][name]["password_hash"])
        serving.service.flow.ask(lambda _farm, _moment: (None, [Put("node", name, row)]), "test").result()
        self.answer = ("applied", "")
        self.versions: list[str] = []
        self.files: dict[str, bytes] = {}
        self._stopping = threading.Event()
        topics = (self.machine.topic(fleet.BLOB_DATA), self.machine.topic(fleet.DESIRED, "software"))
        self.machine.client.subscribe(*topics)
        self.start()

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                topic, payload, _ = self.machine.client.messages.get(timeout=0.1)
            except Empty:
                continue
            if topic.endswith("/desired/software"):
                self.update(json.loads(json.loads(payload)["body"]))

    def update(self, body: dict[str, Any]) -> None:
        document = body["data"]
        self.report(body, "pending", pct=0)
        manifest = json.loads(self.pull(document["manifest"], document["size"]))
        self.files = {path: self.pull(name, size) for path, (name, size) in manifest["files"].items()}
        assert manifest["version"] == document["version"]
        self.report(body, "pending", pct=100)
        self.versions.append(document["version"])
        self.report(body, *self.answer)

    def report(self, body: dict[str, Any], status: str, error: str = "", **data: Any) -> None:
        row = {"rev": body["rev"], "status": status, "error": error, "data": data}
        self.machine.say(fleet.REPORTED, row, "software")

    def pull(self, name: str, size: int) -> bytes:
        data = b""
        while len(data) < size:
            self.machine.say(fleet.BLOB_GET, {"sha256": name, "offset": len(data), "size": 2_048})
            payload = self.machine.client.expect(lambda topic, _: topic.endswith("/blob/data"))
            answer = wire.decode(fleet.BLOB_DATA, payload)
            assert answer["total"] == size
            data += answer["data"]
        assert sha256(data).hexdigest() == name
        return data

    def stop(self) -> None:
        self._stopping.set()
        self.join()


@pytest.fixture(scope="module")
def boards(serving: Serving) -> Iterator[list[Board]]:
    boards = [Board(serving, name) for name in ("esp-a", "esp-b")]
    yield boards
    for board in boards:
        board.stop()


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A folder as a build leaves it, with what must never be sent."""
    (tmp_path / "esp_node" / "sensors").mkdir(parents=True)
    (tmp_path / "esp_node" / "node.mpy").write_bytes(os.urandom(5_000))
    (tmp_path / "esp_node" / "sensors" / "adc.py").write_bytes(b"NAME = 'adc'\n" * 30)
    for name in ("main.py", "boot.py", "config.json", "credential.json", ".hidden.py"):
        (tmp_path / name).write_text("secret")
    return tmp_path


def farmhand(serving: Serving, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "FARMHAND_URL": serving.url, "FARMHAND_UMQTT": str(UMQTT), "COLUMNS": "200"}
    environment["FARMHAND_KEY"] = serving.admin.headers["authorization"].removeprefix("Bearer ")
    command = [sys.executable, "-m", "farmhand", *words]
    given = {"cwd": ROOT, "env": environment, "capture_output": True, "text": True, "timeout": 100, **more}
    return subprocess.run(command, check=False, **given)


def software(serving: Serving, node: str) -> dict[str, Any]:
    rows = [row for row in serving.get(f"/nodes/{node}/desired")["items"] if row["doc"] == "software"]
    return rows[0] if rows else {"rev": 0, "data": None}


def test_nodes_get_what_is_in_a_folder(serving: Serving, boards: list[Board], built: Path) -> None:
    done = farmhand(serving, "node", "update", "esp-a", "esp-b", "--from", str(built), "--version", "v7")
    assert done.returncode == 0, done.stderr
    assert re.search(r"esp-a +.*applied", done.stdout)
    assert "version v7: 2 files, 5390 bytes" in done.stdout
    wanted = {name: (built / name).read_bytes() for name in ("esp_node/node.mpy", "esp_node/sensors/adc.py")}
    assert [board.files for board in boards] == [wanted, wanted]
    assert set(software(serving, "esp-a")["data"]) == {"version", "manifest", "size"}
    again = farmhand(serving, "node", "update", "esp-a", "--from", str(built), "--version", "v7", "--json")
    assert json.loads(again.stdout)["nodes"] == [{"node": "esp-a", "status": "applied", "error": ""}]
    assert software(serving, "esp-a")["rev"] == 1, "what a node has it is not asked for again"


@pytest.mark.skipif(not (UMQTT / "umqtt").exists() or not program("mpy-cross"), reason="the node cannot be built here")
def test_nodes_get_what_is_built_here_all_at_once(serving: Serving, boards: list[Board]) -> None:
    done = farmhand(serving, "node", "update", "esp-a", "esp-b", "--all-at-once", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert re.fullmatch(r"\d+\.\d+\.\d+\w*-[0-9a-f]{8}", answer["version"])
    assert [row["status"] for row in answer["nodes"]] == ["applied", "applied"]
    for board in boards:
        assert {"esp_node/node.mpy", "esp_node/sensors/load.mpy", "umqtt/simple.mpy"} <= set(board.files)
        assert "main.py" not in board.files
        assert board.versions[-1] == answer["version"]


def test_the_first_failure_ends_it_and_the_next_try_is_a_new_one(
    serving: Serving, boards: list[Board], built: Path
) -> None:
    words = ("node", "update", "esp-a", "esp-b", "--from", str(built))
    before = {name: software(serving, name)["rev"] for name in ("esp-a", "esp-b")}
    boards[0].answer = ("failed", "did not start")
    try:
        failed = farmhand(serving, *words)
    finally:
        boards[0].answer = ("applied", "")
    assert failed.returncode == 1
    assert failed.stderr.strip().endswith("esp-a: failed: did not start; left as they are: esp-b")
    assert software(serving, "esp-b")["rev"] == before["esp-b"]
    done = farmhand(serving, *words)
    assert done.returncode == 0, done.stderr
    assert software(serving, "esp-a")["rev"] == before["esp-a"] + 2


def test_a_node_that_does_not_answer_runs_out_of_time(serving: Serving, boards: list[Board], built: Path) -> None:
    name = "esp-gone"
    row = node_row(name, kind="esp")
    serving.service.flow.ask(lambda _farm, _moment: (None, [Put("node", name, row)]), "test").result()
    asked = farmhand(serving, "node", "update", name, "--from", str(built), "--no-wait")
    assert asked.returncode == 0, asked.stderr
    late = farmhand(serving, "node", "update", name, "esp-a", "--from", str(built), "--timeout", "1")
    assert late.returncode == 1
    assert "esp-gone: timeout: not done within 1 s: the node is new; left as they are: esp-a" in late.stderr


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("m-1", "--from", "."), "node: m-1 is of the kind cpu-gpu; this software is for the kind esp"),
        (("ghost",), "node: ghost does not exist"),
        (("esp-a", "--from", "docs"), "docs: has no esp_node/ with .mpy or .py files in it"),
    ],
)
def test_what_cannot_be_done_is_said(
    serving: Serving, machine: Machine, boards: list[Board], words: tuple[str, ...], problem: str
) -> None:
    done = farmhand(serving, "node", "update", *words)
    assert done.returncode == 1
    assert problem in done.stderr
