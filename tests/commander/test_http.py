"""The API through a real server, with a real broker behind the commander, on both databases."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from commander.fleet.retention import roll_up
from schema import fleet
from tests.commander.api import OPEN, ROLES, ROUTES, Machine, error_of, now_ms
from tests.commander.serving import Serving
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.broker


def test_every_route_asks_for_its_role(serving: Serving) -> None:
    assert set(ROUTES) == set().union(*ROLES.values())
    clients = {"": serving.nobody, "reader": serving.reader, "operator": serving.operator}
    order = ["", "reader", "operator", "admin"]
    for needed, paths in ROLES.items():
        for entry in sorted(paths):
            method, path = entry.split(" ")
            url = "/api/v1" + re.sub(r"{\w+}", "none", path)
            for role, client in clients.items():
                if path == "/live" and role:
                    continue  # it would not end
                answer = client.request(method, url, json={} if method in ("POST", "PUT") else None)
                if order.index(role) >= order.index(needed):
                    assert answer.status_code not in (401, 403, 500), f"{entry} by {role}: {answer.text}"
                else:
                    assert error_of(answer) == ((403, "role") if role else (401, "key")), (
                        f"{entry} by {role or 'nobody'}"
                    )
    assert error_of(serving.client("fk_wrong").get("/api/v1/nodes")) == (401, "key")


def test_what_is_open_says_nothing_secret(serving: Serving) -> None:
    for path in sorted(OPEN):
        answer = serving.nobody.get(path)
        assert answer.status_code == 200
        assert serving.service.secrets["commander"]["password"] not in answer.text
    assert 'farmhand_nodes{presence="ready"}' in serving.nobody.get("/metrics").text
    assert "asyncapi: 3.0.0" in serving.nobody.get("/asyncapi.yaml").text


def test_figures_arrive_and_the_list_is_fresh(serving: Serving, machine: Machine) -> None:
    serving.get("/nodes")  # fills the cache
    machine.measured(17)
    stored = time.monotonic()
    serving.until(lambda: serving.get("/nodes/m-1")["latest"].get("self", {}).get("host", {}).get("cpu") == 17)
    serving.until(lambda: serving.get("/nodes/m-1")["presence"] == "ready")
    while True:
        (row,) = [row for row in serving.get("/nodes", limit=1000)["items"] if row["id"] == "m-1"]
        if row["latest"].get("self", {}).get("host", {}).get("cpu") == 17:
            break
        assert time.monotonic() - stored < 1.0 + PATIENCE / 10, "a list that is older than a second"
    assert serving.get("/nodes/m-1")["parts"]["host"] == {"cpu": "%"}
    serving.until(lambda: serving.get("/nodes/m-1/telemetry", part="host", step="raw")["items"])
    history = serving.get("/nodes/m-1/telemetry", part="host", step="raw")
    assert history["items"][-1]["values"] == {"cpu": 17}
    assert history["units"] == {"cpu": "%"}
    assert serving.get("/devices", node="m-1")["items"][0]["parts"]["host"]["cpu"] == 17
    assert serving.get("/domains")["items"][0]["up"]
    detail = serving.admin.get("/api/v1/nodes/m-1").text
    assert "password" not in detail
    assert "$7$" not in detail


def test_a_rig_with_its_history(serving: Serving, machine: Machine) -> None:
    for accepted in (3, 7, 2, 4):  # begins again after the second
        machine.mined("avr-11", server="G", state="B", hashrate=3000, accepted=accepted)
    serving.until(lambda: serving.get("/mining/rigs")["total"])
    serving.until(lambda: serving.get("/mining/rigs/m-1")["slaves"][0]["accepted"] == 4)
    assert serving.get("/mining/rigs", domain="house")["items"][0]["totals"]["hashrate"] == 3000
    assert serving.get("/mining/rigs", domain="barn")["total"] == 0
    url = "/mining/rigs/m-1/history"
    for rolled_up in (False, True):
        for step in ("minute", "hour", "day"):
            serving.until(lambda step=step: serving.get(url, step=step)["totals"]["accepted"] == 8)
        if not rolled_up:
            roll_up(serving.service.database, 0)
    for step, hours in (("minute", 6), ("hour", 31 * 24), ("day", 92 * 24)):
        most = {"step": step, "since": now_ms() - hours * 3_600_000 - 59_000}  # the request took its time
        assert serving.get(url, **most)["items"]
        longer = most | {"since": now_ms() - (hours + 49) * 3_600_000}
        assert error_of(serving.admin.get(f"/api/v1{url}", params=longer)) == (422, "since")
    machine.client.publish(machine.topic(fleet.STATE, device="avr-11"), "lost", retain=True)
    serving.until(lambda: serving.get("/mining/rigs/m-1")["totals"]["here"] == 0)
    assert serving.get("/mining/rigs/m-1")["slaves"][0]["presence"] == "lost"
    assert error_of(serving.admin.get("/api/v1/mining/rigs/steward-house")) == (404, "node")


def test_a_command_goes_there_and_back(serving: Serving, machine: Machine) -> None:
    machine.client.subscribe(machine.topic(fleet.CMD, "x").removesuffix("x") + "+")
    row = serving.operator.post("/api/v1/nodes/m-1/commands", json={"name": "ping", "args": {"a": 1}}).json()
    assert row["status"] == "sent"

    def is_ours(_topic: str, payload: bytes) -> bool:
        return json.loads(json.loads(payload)["body"])["id"] == row["id"]

    body = json.loads(json.loads(machine.client.expect(is_ours))["body"])
    assert body["args"] == {"a": 1}
    machine.say(fleet.ACK, {"id": body["id"], "status": "done", "result": {"pong": True}}, body["id"])
    serving.until(lambda: serving.get(f"/commands/{row['id']}")["status"] == "done")
    assert serving.get(f"/commands/{row['id']}")["result"] == {"pong": True}
    assert any(entry["what"] == "command ping" for entry in serving.get("/audit")["items"])


def test_documents_alerts_logs_and_refusals(serving: Serving, machine: Machine) -> None:
    put = serving.operator.put("/api/v1/nodes/m-1/desired/settings", json={"data": {"a": 1}})
    assert put.json()["rev"] == 1
    stale = serving.operator.put("/api/v1/nodes/m-1/desired/settings", json={"data": {"a": 2}, "if_rev": 7})
    assert error_of(stale) == (409, "rev")
    machine.say(fleet.REPORTED, {"rev": 1, "status": "applied"}, "settings")
    serving.until(lambda: serving.get("/nodes/m-1/reported")["items"])
    machine.say(fleet.ALERT, {"since": now_ms(), "severity": "error", "text": "too hot"}, "hot")
    serving.until(lambda: any(row["name"] == "hot" for row in serving.get("/alerts", node="m-1")["items"]))
    assert serving.operator.delete("/api/v1/alerts/m-1/self/hot").status_code == 200
    assert error_of(serving.operator.delete("/api/v1/alerts/m-1/self/hot")) == (404, "alert")
    machine.say(fleet.LOG, {"ts": now_ms(), "level": "info", "text": "a line"})
    serving.until(lambda: serving.get("/logs", node="m-1", level="info")["items"])
    machine.say(fleet.TELE, {"ts": 1, "colour": 1}, "host")
    serving.until(lambda: serving.get("/dead-letters", sender="m-1")["items"])
    letters = serving.get("/dead-letters", sender="m-1")
    assert letters["items"][0]["field"] == "colour"
    assert letters["senders"][0]["count"] >= 1


def test_tokens_and_keys_are_shown_once(serving: Serving) -> None:
    made = serving.admin.post("/api/v1/tokens", json={"domain": "house", "kind": "esp"}).json()
    assert made["broker"].startswith("mqtt://127.0.0.1:")
    listed = serving.admin.get("/api/v1/tokens").text
    assert made["id"] in listed
    assert made["token"] not in listed
    assert "hash" not in listed
    assert serving.admin.delete(f"/api/v1/tokens/{made['id']}").status_code == 200
    (row,) = [row for row in serving.get("/tokens")["items"] if row["id"] == made["id"]]
    assert row["state"] == "expired"
    key = serving.admin.post("/api/v1/keys", json={"name": "once", "role": "reader"}).json()
    assert serving.client(key["key"]).get("/api/v1/nodes").status_code == 200
    assert key["key"] not in serving.admin.get("/api/v1/keys").text
    assert serving.admin.delete(f"/api/v1/keys/{key['id']}").status_code == 200
    assert error_of(serving.client(key["key"]).get("/api/v1/nodes")) == (401, "key")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "field"),
    [
        ("GET", "/nodes/ghost", None, 404, "node"),
        ("GET", "/commands/c-0", None, 404, "id"),
        ("GET", "/nodes/m-1/telemetry", None, 422, "part"),
        ("GET", "/nodes/m-1/telemetry?part=host&step=year", None, 422, "step"),
        ("GET", "/events?since=-1", None, 422, "since"),
        ("GET", f"/events?since={10**30}", None, 422, "since"),
        ("GET", f"/logs?before={2**63}", None, 422, "before"),
        ("GET", "/events?node=%00", None, 422, "node"),
        ("POST", "/tokens", {"domain": "house"}, 422, "kind"),
        ("POST", "/tokens", {"domain": "attic", "kind": "esp"}, 422, "domain"),
        ("POST", "/tokens", {"domain": "house", "kind": "esp", "colour": 1}, 422, "colour"),
        ("POST", "/keys", {"name": "a\x00b"}, 422, "name"),
        ("POST", "/keys", {"name": "a", "role": "king"}, 422, "role"),
        ("POST", "/nodes/m-1/commands", {"name": "a b"}, 422, "name"),
        ("POST", "/nodes/m-1/commands", {"name": "a", "timeout_s": "soon"}, 422, "timeout_s"),
        ("POST", "/nodes/ghost/commands", {"name": "ping"}, 404, "node"),
        ("PUT", "/nodes/m-1/desired/settings", {}, 422, "data"),
        ("PUT", "/nodes/m-1/desired/settings", {"data": "x" * 300_000}, 422, "data"),
        ("PUT", "/nodes/steward-house/desired/credentials", {"data": {}}, 403, "document"),
        ("DELETE", "/nodes/steward-house", None, 403, "node"),
        ("DELETE", "/tokens/t-0", None, 404, "id"),
        ("DELETE", "/keys/k-0", None, 404, "id"),
        ("GET", "/blobs/0", None, 404, "sha256"),
        ("DELETE", "/blobs/0", None, 404, "sha256"),
        ("POST", "/blobs", None, 422, "body"),
        ("POST", "/blobs?name=%0a", {}, 422, "name"),
    ],
)
def test_errors_name_the_field(
    serving: Serving, machine: Machine, method: str, path: str, body: Any, status: int, field: str
) -> None:
    assert error_of(serving.admin.request(method, f"/api/v1{path}", json=body)) == (status, field)


def test_what_happens_is_told_live(serving: Serving, machine: Machine) -> None:
    with serving.reader.stream("GET", "/api/v1/live", params={"node": "m-1"}) as answer:
        lines = answer.iter_lines()
        assert next(lines).startswith("retry:")
        machine.event("told", about="it")
        kind = ""
        for line in lines:
            kind = line.removeprefix("event: ") if line.startswith("event: ") else kind
            if line.startswith("data: ") and kind == "event":
                told = json.loads(line.removeprefix("data: "))
                break
    assert (told["type"], told["data"]) == ("told", {"about": "it"})


def test_broken_json_and_deep_json(serving: Serving, machine: Machine) -> None:
    for body in (b"{", b"[" * 50_000, b"\xff", b""):
        answer = serving.admin.post("/api/v1/tokens", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 422), body[:9]


def test_no_body_fills_the_memory(serving: Serving) -> None:
    """FastAPI reads it before it asks for the key."""
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b" " * 1_000_000

    with suppress(httpx.TransportError):  # the connection may be over before all is read
        answer = serving.nobody.post("/api/v1/tokens", content=endless(), headers={"Content-Type": "application/json"})
        assert error_of(answer) == (413, "body")
    assert 17 <= sent < 200
    assert serving.nobody.get("/healthz").status_code == 200


def test_without_a_broker_it_is_not_ready_and_says_why(serving: Serving) -> None:
    process = serving.brokers.stewards["house"]
    process.terminate()
    process.wait(PATIENCE)
    serving.until(lambda: serving.nobody.get("/readyz").status_code == 503)
    problems = serving.nobody.get("/readyz").json()["problems"]
    assert all(problem.startswith("broker: ") for problem in problems)
    assert serving.nobody.get("/healthz").status_code == 200
    assert serving.admin.get("/api/v1/nodes/m-1").json()["presence"] == "unreachable"
    serving.brokers.start("house")
    serving.until(lambda: serving.nobody.get("/readyz").status_code == 200)
