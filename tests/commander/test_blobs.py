"""Files that nodes pull: taken in over HTTP, pulled block by block over a real broker, kept in both databases."""

import json
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import pytest

from commander.blob_edge import BLOCK, MOST_ASKED, BlobSender, BlobStore
from commander.db_edge import Database
from commander.effects import Put, Refused, SendBlob
from commander.fleet import blobs, orders
from commander.mqtt_ingest import Arrived
from schema import fleet, wire
from tests.broker.farm import Client
from tests.commander.api import Machine
from tests.commander.line import NOW, Line, moment, node_row
from tests.commander.serving import Serving
from tests.support.waiting import PATIENCE, wait_until

MIB = 1024 * 1024
LARGE = random.Random(3).randbytes(16 * MIB)
FILE = LARGE[: 3 * BLOCK + 1000]


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def added(serving: Serving, data: bytes, name: str = "") -> str:
    answer = serving.admin.post("/api/v1/blobs", content=data, params={"name": name})
    assert answer.status_code in (200, 201), answer.text
    assert answer.json()["size"] == len(data)
    return answer.json()["sha256"]


@pytest.fixture(scope="module")
def puller(serving: Serving) -> Machine:
    machine = Machine(serving, "puller")
    machine.client.subscribe(machine.topic(fleet.BLOB_DATA))
    return machine


def block(machine: Machine, name: str, offset: int, size: int) -> dict[str, Any]:
    machine.say(fleet.BLOB_GET, {"sha256": name, "offset": offset, "size": size})
    return wire.decode(fleet.BLOB_DATA, machine.client.expect(lambda topic, _: topic.endswith("/blob/data")))


# --- over broker and HTTP --------------------------------------------------------------------------------------------
@pytest.mark.broker
@pytest.mark.parametrize("size", [7_001, BLOCK, 131_072])
def test_a_node_pulls_a_file_block_by_block(serving: Serving, puller: Machine, size: int) -> None:
    name = added(serving, FILE)
    assert name == digest(FILE)
    pulled = bytearray()
    while len(pulled) < len(FILE):
        answer = block(puller, name, len(pulled), size)
        assert (answer["sha256"], answer["offset"], answer["total"]) == (name, len(pulled), len(FILE))
        assert len(answer["data"]) == min(size, len(FILE) - len(pulled))
        pulled += answer["data"]
    assert digest(pulled) == name


@pytest.mark.broker
def test_what_there_is_not(serving: Serving, puller: Machine) -> None:
    name = added(serving, FILE)
    for offset in (len(FILE), len(FILE) + 1, 2**53 - 1):
        answer = block(puller, name, offset, 10)
        assert (answer["offset"], answer["total"], answer["data"]) == (offset, len(FILE), b"")
    for unknown in ("0" * 64, "", "../../etc/passwd"):
        assert block(puller, unknown, 5, 10) == {"sha256": unknown, "offset": 5, "total": 0, "data": b""}
    puller.say(fleet.BLOB_GET, {"sha256": name, "offset": 0, "size": 131_073})
    serving.until(lambda: serving.get("/dead-letters", sender="puller")["items"])
    [letter] = serving.get("/dead-letters", sender="puller")["items"]
    assert (letter["field"], letter["problem"]) == ("size", "must be a whole number from 1 to 131072")


@pytest.mark.broker
def test_a_file_comes_lies_and_goes(serving: Serving, puller: Machine) -> None:
    data = FILE[:500]
    first = serving.admin.post("/api/v1/blobs", content=data, params={"name": "a.mpy"})
    again = serving.admin.post("/api/v1/blobs", content=data)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["name"] == "a.mpy"
    name = digest(data)
    [row] = [row for row in serving.get("/blobs")["items"] if row["sha256"] == name]
    assert (row["size"], row["name"]) == (500, "a.mpy")
    assert serving.operator.get(f"/api/v1/blobs/{name}").content == data
    assert serving.operator.get(f"/api/v1/blobs/{added(serving, FILE)}").content == FILE
    assert serving.admin.delete(f"/api/v1/blobs/{name}").json() == {"removed": name}
    assert serving.admin.get(f"/api/v1/blobs/{name}").status_code == 404
    assert block(puller, name, 0, 10)["total"] == 0
    assert added(serving, data) == name, "it may come back, whether its bytes were swept away or not"
    assert block(puller, name, 0, 500)["data"] == data


@pytest.mark.broker
def test_the_largest_file_and_one_that_is_larger(serving: Serving, puller: Machine) -> None:
    name = added(serving, LARGE)
    assert block(puller, name, len(LARGE) - 100_000, 131_072)["data"] == LARGE[-100_000:]
    refused = serving.admin.post("/api/v1/blobs", content=LARGE + b"x")
    assert refused.status_code == 413
    assert refused.json()["error"]["problem"] == "must be at most 16777216 bytes (setting blob_max_mib)"


@pytest.mark.broker
def test_what_a_document_needs_stays(serving: Serving, puller: Machine) -> None:
    part, other = FILE[:100], FILE[100:200]
    files = {"esp_node/node.mpy": [added(serving, part), 100]}
    manifest = added(serving, json.dumps({"version": "v1", "files": files}).encode())
    wish = {"data": {"version": "v1", "manifest": manifest, "size": 1}}
    assert serving.admin.put("/api/v1/nodes/puller/desired/software", json=wish).json()["rev"] == 1
    for name in (digest(part), manifest):
        answer = serving.admin.delete(f"/api/v1/blobs/{name}")
        assert answer.status_code == 409
        assert answer.json()["error"]["problem"] == "is needed for the document software of puller"
    assert serving.admin.put("/api/v1/nodes/puller/desired/software", json=wish).json()["rev"] == 1
    assert serving.admin.put("/api/v1/nodes/puller/desired/software", json=wish | {"again": True}).json()["rev"] == 2
    wish = {"data": {"version": "v2", "manifest": added(serving, other), "size": 1}}
    serving.admin.put("/api/v1/nodes/puller/desired/software", json=wish)
    assert serving.admin.delete(f"/api/v1/blobs/{manifest}").status_code == 200
    assert serving.admin.delete(f"/api/v1/blobs/{digest(part)}").status_code == 200


class Crowd:
    """Nodes that all pull the same file at once, each asking for the next block when it has the one before.

    They have no connections of their own: what the commander sends is heard with its own credential.
    """

    def __init__(self, serving: Serving, count: int, name: str, size: int, total: int):
        self._line, self._name, self._size, self._total = serving.service.flow, name, size, total
        names = [f"crowd-{number}" for number in range(count)]
        self._line.ask(lambda _f, _m: (None, [Put("node", each, node_row(each)) for each in names]), "test").result()
        self.missing = dict.fromkeys(names, total)
        user = serving.service.secrets["commander"]
        client = Client(serving.brokers.farm.domains["house"].port, user["user"], user["password"], "crowd").ready()
        self.client = client.subscribe("farm/house/+/self/blob/data")
        serving.brokers.clients.append(client)
        for each in names:
            self._ask(each)

    def _ask(self, node: str) -> None:
        wish = {"sha256": self._name, "offset": self._total - self.missing[node], "size": self._size}
        topic = f"farm/house/{node}/self/blob/get".encode()
        self._line.inbox.put(Arrived(None, 0, [(topic, wire.encode(fleet.BLOB_GET, wish), 0, b"", False)]))

    def pull(self) -> None:
        while any(self.missing.values()):
            topic, payload, _ = self.client.messages.get(timeout=PATIENCE)
            node = topic.split("/")[2]
            self.missing[node] -= len(wire.decode(fleet.BLOB_DATA, payload)["data"])
            if self.missing[node]:
                self._ask(node)


@pytest.mark.broker
@pytest.mark.scale
def test_a_farm_that_updates_does_not_hold_up_what_comes_in(serving: Serving, puller: Machine) -> None:
    data = FILE[:20_000]
    crowd = Crowd(serving, 200, added(serving, data), 1_024, len(data))
    pulling = threading.Thread(target=crowd.pull)
    began = time.monotonic()
    pulling.start()
    waits: list[float] = []

    def seen() -> Any:
        return serving.get("/nodes/puller")["latest"].get("self", {}).get("host", {}).get("cpu")

    while pulling.is_alive():
        sent = time.monotonic()
        puller.measured(len(waits))
        serving.until(lambda: seen() == len(waits))
        waits.append(time.monotonic() - sent)
    seconds = time.monotonic() - began
    pulling.join()
    assert not any(crowd.missing.values())
    at_least = 200 * 20 * (4_096 + 1_000) / (4 * MIB)
    assert seconds > 0.9 * at_least, "faster than the rate that is set"
    assert sorted(waits)[int(len(waits) * 0.9)] < 0.5, f"of {len(waits)} in {seconds:.1f} s: {sorted(waits)[-5:]}"


# --- the sender alone ------------------------------------------------------------------------------------------------
@contextmanager
def sending(store: BlobStore, under_way: Any) -> Iterator[tuple[BlobSender, list[tuple[str, bytes]]]]:
    """A running sender, and what it has sent: (node, payload)."""
    told: list[tuple[str, bytes]] = []
    sender = BlobSender(
        store, "farm", 1e9, lambda topic, payload, *_: told.append((topic.split("/")[2], payload)), under_way
    )
    try:
        yield sender, told
    finally:
        sender.stop()
        sender.join(PATIENCE)
        assert not sender.is_alive()


def asked(node: str, total: int = 0) -> SendBlob:
    return SendBlob("house", node, "self", "0" * 64, 0, 10, total)


def test_nodes_take_turns_and_a_greedy_one_loses_its_oldest(database: Database) -> None:
    with sending(BlobStore(database), lambda: 0) as (sender, told):
        sender.ask([asked("greedy")] * 100 + [asked("modest"), asked("quiet")])
        sender.start()
        wait_until("all", lambda: len(told) >= MOST_ASKED + 2)
    assert [node for node, _ in told][:3] == ["greedy", "modest", "quiet"]
    assert len(told) == MOST_ASKED + 2


def test_a_slow_broker_is_waited_for_and_an_absent_one_gets_nothing(database: Database) -> None:
    answers: list[int | None] = [100] * 3 + [None] * 2
    with sending(BlobStore(database), lambda: answers.pop(0) if answers else 99) as (sender, told):
        sender.start()
        sender.ask([asked("n-1")])
        wait_until("the connection is back", lambda: not answers)
        sender.ask([asked("n-2")])
        wait_until("an answer", lambda: told)
    assert [node for node, _ in told] == ["n-2"]


def test_a_file_that_is_gone_since_it_was_asked_for(database: Database) -> None:
    with sending(BlobStore(database), lambda: 0) as (sender, told):
        sender.start()
        sender.ask([asked("n-1", total=99)])
        wait_until("an answer", lambda: told)
    assert wire.decode(fleet.BLOB_DATA, told[0][1]) == {"sha256": "0" * 64, "offset": 0, "total": 0, "data": b""}


# --- the bytes and the farm's list of them ---------------------------------------------------------------------------
def add(line: Line, store: BlobStore, data: bytes, now: int = NOW) -> str:
    name = digest(data)
    with store.arriving(name):
        store.write(name, data)
        line.asked(lambda farm, _: blobs.add(farm, name, len(data), "", blobs.names_in(data), moment(now)))
    return name


def test_bytes_survive_a_restart_and_are_swept_with_their_row(line: Line, make_line: Any) -> None:
    store = BlobStore(line.database)
    kept, gone = add(line, store, FILE), add(line, store, FILE[:-1])
    orphan = digest(b"orphan")
    store.write(orphan, b"orphan")
    with store.arriving(orphan):
        store.sweep(line.farm)
        assert store.read(orphan, 0, 6) == b"orphan", "it is on its way in"
    line.asked(lambda farm, when: (None, blobs.remove(farm, gone, when)))
    store.sweep(line.farm)
    store, line = BlobStore(line.database), make_line()
    assert line.in_memory() == line.reloaded()
    assert set(line.farm["blob"]) == {kept}
    assert {row["sha256"] for row in line.rows("blob_block")} == {kept}
    assert b"".join(store.pieces(kept, len(FILE))) == FILE
    assert store.read(gone, 0, 10) == store.read(orphan, 0, 6) == b""


def test_bytes_that_were_gone_are_found_when_they_come_back(line: Line) -> None:
    store = BlobStore(line.database)
    name = add(line, store, FILE)
    assert store.read(name, BLOCK - 5, 10) == FILE[BLOCK - 5 : BLOCK + 5]
    line.asked(lambda farm, when: (None, blobs.remove(farm, name, when)))
    store.sweep(line.farm)
    assert store.read(name, 0, 10) == b""
    add(line, store, FILE)
    assert store.read(name, 0, 10) == FILE[:10]


def test_only_what_nobody_needs_or_asks_for_is_pruned(line: Line) -> None:
    store = BlobStore(line.database)
    part, unused, wanted = (add(line, store, bytes([number]) * 9) for number in range(3))
    manifest = add(line, store, json.dumps({"files": {"a": [part, 9]}}).encode())
    document = {"version": "v1", "manifest": manifest, "size": 1}
    line.asked(lambda farm, when: (None, orders.set_desired(farm, "rig-1", "software", document, None, when)))
    line.send(fleet.BLOB_GET, {"sha256": wanted, "offset": 0, "size": 5})
    assert [row["sha256"] for row in line.rows("blob") if row["used"] > NOW] == [wanted], "asked for just now"
    assert not blobs.prune(line.farm, NOW)
    assert [put.key for put in blobs.prune(line.farm, NOW + 1) if isinstance(put, Put)] == [unused]
    with pytest.raises(Refused, match="sha256: is needed for the document software of rig-1"):
        blobs.remove(line.farm, part, moment())
    line.asked(lambda farm, when: (None, orders.remove_node(farm, "rig-1", when)))
    assert len(blobs.prune(line.farm, NOW + 1)) == 3


def test_what_a_file_names() -> None:
    name = "a1" * 32
    assert blobs.names_in(f'{{"a": "{name}", "b": ["{name}", "{name}0", "{name[1:]}"]}}'.encode()) == [name]
    assert blobs.names_in(b"\xff" + name.encode()) == []
    assert blobs.names_in(name.encode() + b" " * 256 * 1024) == []
