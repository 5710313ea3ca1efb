"""What the tests of the API share: its routes, who may use them, and a node to talk about."""

import json
import pkgutil
import time
from importlib import import_module
from typing import Any

import httpx
from fastapi import APIRouter
from fastapi.routing import APIRoute

import commander.http
from schema import fleet
from schema.topics import build
from tests.broker.farm import Client
from tests.commander.serving import Serving

# Who may: a route that is not here fails the test, so a new one cannot be forgotten.
ROLES = {
    "reader": {
        "GET /nodes",
        "GET /nodes/{node}",
        "GET /devices",
        "GET /domains",
        "GET /nodes/{node}/telemetry",
        "GET /commands",
        "GET /commands/{command_id}",
        "GET /nodes/{node}/asics",
        "GET /nodes/{node}/desired",
        "GET /nodes/{node}/reported",
        "GET /events",
        "GET /logs",
        "GET /alerts",
        "GET /tokens",
        "GET /live",
        "GET /telemetry",
        "GET /mining/rigs",
        "GET /mining/rigs/{node}",
        "GET /mining/rigs/{node}/history",
        "GET /mining/overview",
        "GET /mining/miners",
        "GET /mining/miners/{node}",
        "GET /mining/miners/{node}/{device}/history",
        "GET /mining/asics",
        "GET /mining/asics/{node}/{device}",
        "GET /mining/days",
        "GET /desired",
        "GET /mining/templates",
        "GET /mining/templates/{kind}/{name}",
        "GET /mining/software",
        "GET /mining/software/{name}",
        "GET /mining/playbooks",
        "GET /mining/playbooks/{name}",
        "GET /mining/playbooks/{name}/versions",
        "GET /mining/playbooks/{name}/diff",
        "GET /mining/labels",
        "GET /mining/rollouts",
        "GET /mining/rollouts/{rollout}",
        "GET /reported",
        "GET /boards",
        "GET /boards/available",
        "GET /boards/leases",
        "GET /boards/leases/{lease}",
        "GET /boards/results",
        "GET /boards/history",
        "GET /boards/{serial}/history",
        "GET /blobs",
    },
    "operator": {
        "GET /notifiers",
        "POST /nodes/{node}/commands",
        "PUT /nodes/{node}/desired/{document}",
        "POST /nodes/{node}/asics",
        "POST /nodes/{node}/asics/check",
        "POST /nodes/{node}/asics/scan",
        "PUT /nodes/{node}/asics/{name}",
        "DELETE /nodes/{node}/asics/{name}",
        "POST /nodes/{node}/asics/{name}/control",
        "GET /dead-letters",
        "GET /blobs/{sha256}",
        "DELETE /alerts/{node}/{device}/{name}",
        "POST /mining/playbooks/preview",
        "PUT /mining/playbooks/{name}",
        "DELETE /mining/playbooks/{name}",
        "POST /mining/playbooks/{name}/restore",
        "PUT /mining/labels/{node}",
        "POST /mining/rollouts/{rollout}/continue",
        "POST /mining/rollouts/{rollout}/cancel",
        "POST /boards/leases",
        "POST /boards/files",
        "POST /boards/leases/{lease}/call",
        "POST /boards/leases/extend-all",
        "POST /boards/leases/end-all",
        "POST /boards/leases/{lease}/extend",
        "POST /boards/leases/{lease}/end",
        "POST /boards/{serial}/do",
        "GET /boards/{serial}/console",
    },
    "admin": {
        "PUT /notifiers/{name}",
        "DELETE /notifiers/{name}",
        "POST /notifiers/{name}/test",
        "DELETE /nodes/{node}",
        "PUT /nodes/{node}/grants",
        "POST /tokens",
        "DELETE /tokens/{token_id}",
        "GET /keys",
        "POST /keys",
        "DELETE /keys/{key_id}",
        "GET /audit",
        "POST /blobs",
        "DELETE /blobs/{sha256}",
        "PUT /mining/templates/{kind}/{name}",
        "DELETE /mining/templates/{kind}/{name}",
        "PUT /mining/software/{name}",
        "DELETE /mining/software/{name}",
        "PUT /mining/software/{name}/releases/{release}/{platform}",
        "DELETE /mining/software/{name}/releases/{release}/{platform}",
    },
}
SLAVE = ("server", "state", "hashrate", "busy_pct", "accepted", "refused", "requests", "request_wait_ms")
MINER = {"miner": dict.fromkeys(("state", "hashrate", "algorithm", "accepted", "power"), ""), "card-0": {"temp": ""}}
OPEN = {"/healthz", "/readyz", "/metrics", "/asyncapi.yaml"}


class Machine:
    """A node of the house, spoken for over MQTT."""

    def __init__(self, serving: Serving, name: str):
        self.client: Client = serving.machine(name)
        self.name = name
        self.seq = 0
        birth = {
            "schema": 1,
            "boot": "b1",
            "kind": "cpu-gpu",
            "software": "test",
            "alive_ms": 600_000,
            "parts": {"host": {"cpu": "%"}, "slave": dict.fromkeys(SLAVE, ""), **MINER},
        }
        self.say(fleet.INFO, birth)
        self.client.publish(self.topic(fleet.STATE), "ready", retain=True)

    def topic(self, message: Any, name: str = "", device: str = "self") -> str:
        return build(message, "farm", "house", self.name, device, name)

    def say(self, message: Any, data: Any, name: str = "", device: str = "self") -> None:
        self.client.publish(self.topic(message, name, device), json.dumps(data))

    def event(self, name: str, **data: Any) -> None:
        self.seq += 1
        self.say(fleet.EVT, {"ts": now_ms(), "stream": "s", "seq": self.seq, **data}, name)

    def measured(self, cpu: float) -> None:
        self.say(fleet.TELE, {"ts": now_ms(), "cpu": cpu}, "host")

    def mined(self, device: str, part: str = "slave", **figures: Any) -> None:
        """Figures of a rig's slave, or of another part."""
        self.say(fleet.TELE, {"ts": now_ms(), **figures}, part, device)


def error_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["field"]


def now_ms() -> int:
    return int(time.time() * 1000)


def all_routes() -> dict[str, APIRoute]:
    """`METHOD /path` -> route of every router in commander.http."""
    modules = [import_module(f"commander.http.{found.name}") for found in pkgutil.iter_modules(commander.http.__path__)]
    return {
        f"{method} {route.path.removeprefix('/api/v1')}": route
        for module in modules
        for route in getattr(module, "router", APIRouter()).routes
        if isinstance(route, APIRoute) and route.path.startswith("/api/")
        for method in route.methods
    }


ROUTES = all_routes()
