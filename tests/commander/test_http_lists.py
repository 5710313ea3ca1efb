"""Lists of the API through a real server, on both databases: pages, time ranges."""

from typing import Any

import pytest

from tests.commander.api import Machine, error_of, now_ms
from tests.commander.serving import Serving
from tests.support.waiting import wait_until

pytestmark = pytest.mark.broker

LISTS = [
    "/nodes",
    "/devices",
    "/telemetry",
    "/mining/rigs",
    "/mining/templates",
    "/mining/software",
    "/mining/playbooks",
    "/mining/playbooks/none/versions",
    "/mining/rollouts",
    "/boards/leases",
    "/boards/history",
    "/boards/none/history",
    "/mining/labels",
    "/desired",
    "/reported",
    "/domains",
    "/commands",
    "/events",
    "/logs",
    "/alerts",
    "/tokens",
    "/dead-letters",
    "/audit",
    "/keys",
    "/blobs",
    "/nodes/m-1/desired",
    "/nodes/m-1/reported",
]


@pytest.mark.parametrize("path", LISTS)
def test_every_list_has_pages(serving: Serving, machine: Machine, path: str) -> None:
    answer = serving.get(path, limit=1)
    assert set(answer) >= {"items", "next"}
    assert len(answer["items"]) <= 1
    for name, value in (("limit", "0"), ("limit", "1001"), ("limit", "x"), ("limit", 10**30)):
        assert error_of(serving.admin.get(f"/api/v1{path}", params={name: value})) == (422, "limit")


def test_pages_and_time_ranges(serving: Serving, machine: Machine) -> None:
    begin = now_ms()
    for number in range(5):
        machine.event("counted", number=number)
    query: dict[str, Any] = {"node": "m-1", "type": "counted"}
    serving.until(lambda: len(serving.get("/events", **query)["items"]) >= 5)
    seen: list[int] = []
    before = None
    for _ in range(9):
        answer = serving.get("/events", **query, limit=2, **({"before": before} if before else {}))
        seen += [row["data"]["number"] for row in answer["items"]]
        before = answer["next"]
        if before is None:
            break
    assert seen == [4, 3, 2, 1, 0]
    assert not serving.get("/events", **query, until=begin)["items"]
    assert not serving.get("/events", **query, since=begin + 3_600_000)["items"]
    for number in range(3):
        serving.admin.post("/api/v1/nodes/m-1/commands", json={"name": f"c{number}"})
    first = serving.get("/commands", node="m-1", limit=2)
    rest = serving.get("/commands", node="m-1", limit=2, offset=first["next"])
    assert first["total"] >= 3
    assert not {row["id"] for row in first["items"]} & {row["id"] for row in rest["items"]}


def test_raw_telemetry_and_documents_of_all_nodes(serving: Serving, machine: Machine) -> None:
    begin = now_ms()
    machine.measured(11.5)
    wait_until("the row", lambda: serving.get("/telemetry", node="m-1", since=begin)["items"])
    [row] = serving.get("/telemetry", node="m-1", part="host", since=begin)["items"]
    assert (row["node"], row["device"], row["part"], row["values"]) == ("m-1", "self", "host", {"cpu": 11.5})
    assert not serving.get("/telemetry", node="m-1", part="other", since=begin)["items"]
    serving.admin.put("/api/v1/nodes/m-1/desired/settings", json={"data": {"interval_s": 3}})
    assert [row["doc"] for row in serving.get("/desired", node="m-1", since=begin)["items"]] == ["settings"]
    assert not serving.get("/desired", node="m-1", until=begin)["items"]


def test_lists_of_what_is_now_take_a_time_range(serving: Serving, machine: Machine) -> None:
    recently = now_ms() - 600_000
    machine.measured(1.0)
    wait_until("m-1", lambda: "m-1" in [node["id"] for node in serving.get("/nodes", since=recently)["items"]])
    assert "m-1" not in [node["id"] for node in serving.get("/nodes", until=1)["items"]]
    assert not serving.get("/devices", until=1)["items"]
    assert not serving.get("/tokens", since=now_ms() + 60_000)["items"]
