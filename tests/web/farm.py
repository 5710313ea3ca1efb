"""A farm to look at: real brokers, a real commander, machines that say what the tests want."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from schema import fleet, tokens
from schema.topics import build
from tests.broker.farm import Client, RunningFarm
from tests.conftest import ROOT
from tests.support.farms import HOUSE_AND_BARN
from tests.support.ports import free_ports, with_ports
from tests.support.waiting import PATIENCE, wait_until

KEY = "fk_test-admin-key"
COMMANDER = Path(__file__).parent / "commander_process.py"


def now_ms() -> int:
    return int(time.time() * 1000)


class Machine:
    """An enrolled node, spoken for by the test over MQTT."""

    def __init__(self, client: Client, domain: str, name: str):
        self.client, self.domain, self.name = client, domain, name

    def topic(self, message: Any, name: str = "", device: str = "self") -> str:
        return build(message, "farm", self.domain, self.name, device, name)

    def born(
        self,
        parts: dict[str, dict[str, str]],
        hardware: str = "board",
        kind: str = "esp",
        alive_ms: int = 60_000,
    ) -> None:
        birth = {
            "schema": 1,
            "boot": "b1",
            "kind": kind,
            "software": "farmhand 0.1.0",
            "hardware": hardware,
            "alive_ms": alive_ms,
            "parts": parts,
        }
        self.say(fleet.INFO, birth, retain=True)
        self.client.publish(self.topic(fleet.STATE), "ready", retain=True)

    def say(
        self,
        message: Any,
        data: dict[str, Any],
        name: str = "",
        device: str = "self",
        retain: bool = False,
    ) -> None:
        self.client.publish(self.topic(message, name, device), json.dumps(data), retain)

    def measured(self, part: str, device: str = "self", ts: int | None = None, **values: Any) -> None:
        self.say(fleet.TELE, {"ts": ts or now_ms(), **values}, part, device)


class WebFarm:
    """Starts everything; `url` is the page, `api` an HTTP client with an admin's key."""

    def __init__(self, state: Path, nodes_on_paper: int = 0):
        self.brokers = RunningFarm(state, with_ports(HOUSE_AND_BARN)).start()
        self.port = free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self.port}"
        headers = {"Authorization": f"Bearer {KEY}"}
        self.api = httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE)
        self.start_commander(nodes_on_paper)

    def start_commander(self, nodes_on_paper: int = 0) -> None:
        where = [str(self.brokers.state), str(self.port), KEY, str(nodes_on_paper)]
        self.process = subprocess.Popen(
            [sys.executable, str(COMMANDER), *where],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "FARMHAND_HOUSEKEEPING_S": "0.5"},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline().strip() == "ready"
        self.until(lambda: self.get("/readyz", 503)["ready"])
        self.until(lambda: all(row["up"] for row in self.get("/api/v1/domains")["items"]))

    def stop_commander(self) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def get(self, path: str, *allowed: int) -> Any:
        answer = self.api.get(path)
        assert answer.status_code in (200, *allowed), answer.text
        return answer.json()

    def until(self, test: Callable[[], Any]) -> None:
        def answered() -> Any:
            try:
                return test()
            except httpx.TransportError:
                assert self.process.poll() is None
                return None

        wait_until("what the commander shall answer", answered)

    def enrol(self, domain: str, name: str, kind: str = "esp") -> Machine:
        """A node through a real token."""
        answer = self.api.post("/api/v1/tokens", json={"domain": domain, "kind": kind, "name": name})
        assert answer.status_code == 201, answer.text
        _, token_id, secret, _ = tokens.parse(answer.json()["token"])
        door = self._connect(domain, token_id, secret, f"enrol-{token_id}")
        door.subscribe(build(fleet.ENROL_RES, "farm", domain, token_id))
        wish = {"nonce": "n1", "kind": kind, "software": "farmhand 0.1.0", "sign": "ed25519"}
        door.publish(build(fleet.ENROL_REQ, "farm", domain, token_id), json.dumps(wish))
        given = json.loads(door.expect(lambda _topic, _payload: True))
        return Machine(
            self._connect(domain, given["node"], given["password"], given["node"]),
            domain,
            given["node"],
        )

    def _connect(self, domain: str, user: str, password: str, client_id: str) -> Client:
        """The broker learns a new user a moment after the commander: ask until it does."""
        end = time.monotonic() + PATIENCE
        while True:
            client = Client(self.brokers.farm.domains[domain].port, user, password, client_id)
            assert client.connected.wait(PATIENCE)
            if not client.refusal:
                self.brokers.clients.append(client)
                return client
            client.close()
            assert time.monotonic() < end, client.refusal
            time.sleep(0.1)

    def stop(self) -> None:
        self.api.close()
        self.stop_commander()
        self.brokers.stop()
