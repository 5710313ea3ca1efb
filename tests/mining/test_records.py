"""What the commander makes of mining: shares counted in their streams, and the rights of a gateway."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from commander.db_edge import Database
from commander.effects import Refused
from commander.mining.grants import for_gateway, of_gateway
from schema.mining import JOB_OFFER, JOB_SHARE
from schema.topics import build
from tests.broker.farm import Client
from tests.commander.line import NOW, Line, node_row
from tests.commander.serving import Serving

TOPIC = "farm/house/rig-1/avr-11/job/share"


def share(seq: int, **change: object) -> bytes:
    data = {"ts": NOW, "stream": "s", "seq": seq, "id": f"d-{seq}", "nonce": 7, "elapsed_us": 9, "hashrate": 3131.5}
    return json.dumps(data | change).encode()


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    database = Database(f"sqlite:///{tmp_path}/farm.db")
    database.migrate()
    yield Line(database)
    database.close()


def test_shares_move_the_mark_and_fill_no_table(line: Line) -> None:
    for seq in (1, 2, 2, 3):
        line.step([line.incoming(TOPIC, share(seq))])
    (stream,) = line.rows("stream")
    assert stream["mark"] == 3
    assert not [row for row in line.rows("event") if row["stream"] is not None]
    assert not line.rows("dead_letter")


def test_a_share_that_is_none_is_a_dead_letter_and_still_moves_the_mark(line: Line) -> None:
    line.step([line.incoming(TOPIC, share(1, nonce=-1))])
    (letter,) = line.rows("dead_letter")
    assert letter["field"] == "nonce"
    assert line.rows("stream")[0]["mark"] == 1


def test_a_gateway_lives_with_its_workers_or_at_home() -> None:
    places = {"host": "house", "esp-1": "barn", "rig": "barn", "far": "attic"}
    farm = {"node": {name: node_row(name, domain) for name, domain in places.items()}}
    assert for_gateway(farm, "farm", "house", "host", ["esp-1", "far"]) == [
        *of_gateway("farm", "barn", "esp-1"),
        *of_gateway("farm", "attic", "far"),
    ]
    assert for_gateway(farm, "farm", "house", "rig", ["rig"]) == of_gateway("farm", "barn", "rig")
    for gateway, worker, field in (
        ("rig", "far", "pool_gateway_of"),
        ("rig", "x", "pool_gateway_of"),
        ("x", "", "node"),
    ):
        with pytest.raises(Refused) as refused:
            for_gateway(farm, "farm", "house", gateway, [worker])
        assert refused.value.field == field


def grant(serving: Serving, **wish: object) -> httpx.Response:
    return serving.admin.put("/api/v1/nodes/gate/grants", json=wish)


@pytest.mark.broker
def test_rights_reach_the_broker(serving: Serving) -> None:
    gate, rig = serving.machine("gate"), serving.machine("rig")
    offers, shares = (build(each, "farm", "house", "rig", "avr-11") for each in (JOB_OFFER, JOB_SHARE))
    gate.subscribe(shares)
    rig.subscribe(offers)

    def fence(reader: Client, name: str, topic: str, payload: str) -> bool:
        """Whether `reader` gets the payload before what it may always hear."""
        writer = rig if reader is gate else gate
        writer.publish(topic, payload)
        serving.brokers.commander().publish(f"farm/house/{name}/self/cmd/fence", payload)
        own = f"farm/house/{name}/self/cmd/fence"
        return topic in reader.until(own)

    gate.subscribe("farm/house/gate/self/cmd/+")
    rig.subscribe("farm/house/rig/self/cmd/+")
    assert not fence(gate, "gate", shares, "1")
    assert not fence(rig, "rig", offers, "1")
    answer = grant(serving, pool_gateway_of=["rig"]).json()
    assert answer == {"node": "gate", "grants": of_gateway("farm", "house", "rig"), "live": True}
    assert fence(gate, "gate", shares, "2")
    assert fence(rig, "rig", offers, "2")
    assert serving.get("/nodes/gate")["grants"] == answer["grants"]
    assert grant(serving).json()["live"]
    assert not fence(gate, "gate", shares, "3")
    assert not fence(rig, "rig", offers, "3")


@pytest.mark.broker
@pytest.mark.parametrize(
    ("wish", "status", "field"),
    [
        ({"grants": ["deny farm/#"]}, 422, "grants"),
        ({"grants": ["read a/#/b"]}, 422, "grants"),
        ({"grants": ["read farm/x\nuser root"]}, 422, "grants"),
        ({"pool_gateway_of": ["ghost"]}, 422, "pool_gateway_of"),
        ({"colour": 1}, 422, "colour"),
    ],
)
def test_wrong_rights_name_the_field(serving: Serving, wish: dict[str, object], status: int, field: str) -> None:
    serving.machine("gate")
    answer = grant(serving, **wish)
    assert (answer.status_code, answer.json()["error"]["field"]) == (status, field)
    steward = serving.admin.put("/api/v1/nodes/steward-house/grants", json={})
    assert (steward.status_code, steward.json()["error"]["field"]) == (403, "node")
