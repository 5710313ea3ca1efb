"""Start, stop, start again: the same farm; nothing is left behind."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.farm import Farm, farmhand, processes, wait_for
from tests.system.ledger import each_exactly_once, everything_stored

pytestmark = [pytest.mark.broker, pytest.mark.micropython]


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Farm]:
    farm = Farm(tmp_path / "state", compiled=False).up()
    yield farm
    farm.end(signal.SIGTERM)
    assert processes(farm.state) == []


def known(farm: Farm) -> dict[str, int]:
    return {node["id"]: farm.node(node["id"])["created"] for node in farm.api.get("/nodes", limit=1000)["items"]}


def test_a_second_up_resumes_the_same_farm(farm: Farm) -> None:
    host = farm.sentries["host"]
    assert host.emit(100, 0).wait(30) == 0
    everything_stored(farm, [host])
    nodes, tokens = known(farm), farm.api.get("/tokens")["total"]
    assert set(nodes) == {"host", "esp-1", "steward-house", "steward-barn"}

    refused = farmhand("up", "--state", farm.state)
    assert refused.returncode == 1
    assert refused.stderr.strip() == f"farmhand: {farm.state}: this farm is already up"

    assert farm.end(signal.SIGINT) == 0
    assert processes(farm.state) == []

    farm.up()
    assert known(farm) == nodes
    assert farm.api.get("/tokens")["total"] == tokens
    assert each_exactly_once(farm, [host]) >= 100
    events = farm.api.get("/events", node="host", type="boot")["items"]
    assert len(events) == 2
    answer = farmhand("status", "--state", farm.state, "--json")
    assert answer.returncode == 0, answer.stderr


def test_a_killed_up_leaves_no_process_and_can_be_resumed(farm: Farm) -> None:
    assert farm.process is not None
    nodes = known(farm)
    os.kill(farm.process.pid, signal.SIGKILL)
    wait_for("the end of all its processes", lambda: processes(farm.state) == [])
    farm.end()
    farm.up()
    assert known(farm) == nodes
