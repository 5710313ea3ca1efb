"""A commander as the product runs it: a broker with its steward, the line, HTTP on a free port."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from commander.http_edge import create_app
from commander.service import Service
from commander.settings import Settings
from tests.broker.farm import PATIENCE, Client, RunningFarm, free_ports

FARM = """
[domains.house]
home = true
port = {}
[commander]
http = "127.0.0.1:{}"
"""


class Serving:
    """`admin`, `operator`, `reader`, `nobody`: HTTP clients of `service`."""

    def __init__(self, state: Path, database: str):
        ports = free_ports(2)
        self.url = f"http://127.0.0.1:{ports[1]}"
        self.brokers = RunningFarm(state, FARM.format(*ports)).start()
        self.service = Service(Settings(state=state, database=database, housekeeping_s=3600, marks_every_s=0.1))
        self.service.start()
        self.app = create_app(self.service)
        config = uvicorn.Config(
            self.app,
            host="127.0.0.1",
            port=ports[1],
            log_level="warning",
            access_log=False,
            ws="none",
        )
        config.timeout_graceful_shutdown = 1
        self.server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self.server.run)
        self._thread.start()
        self._clients: list[httpx.Client] = []
        self.nobody = self.client("")
        self.admin = self.client((state / "commander" / "admin.key").read_text().strip())
        self.until(lambda: self.server.started)
        self.until(lambda: self.nobody.get("/readyz").json()["ready"])
        self.reader, self.operator = (self.client(self.key(role)) for role in ("reader", "operator"))

    def key(self, role: str) -> str:
        answer = self.admin.post("/api/v1/keys", json={"name": f"test {role}", "role": role})
        assert answer.status_code == 201, answer.text
        return answer.json()["key"]

    def client(self, key: str) -> httpx.Client:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._clients.append(httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE, trust_env=False))
        return self._clients[-1]

    def get(self, path: str, **query: Any) -> Any:
        answer = self.admin.get(f"/api/v1{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def machine(self, name: str) -> Client:
        """MQTT as a node of the house: row and credential as an enrolment makes them."""
        from broker.passwords import hashed
        from commander.effects import Put
        from commander.fleet.enrolment import credentials
        from tests.commander.line import node_row

        row = node_row(name, password_hash=hashed(name))

        def work(farm: Any, moment: Any) -> Any:
            return None, [
                Put("node", name, row),
                *credentials(farm, "house", moment, {}, {name: row}),
            ]

        self.service.flow.ask(work, "test").result(PATIENCE)
        found: list[Client] = []

        def connected() -> bool:
            client = Client(self.brokers.farm.domains["house"].port, name, name)
            assert client.connected.wait(PATIENCE)
            if client.refusal:
                client.close()
                return False
            found.append(client)
            return True

        self.until(connected)
        self.brokers.clients += found
        return found[0]

    def until(self, test: Callable[[], Any]) -> None:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                if test():
                    return
            except httpx.TransportError:
                assert self._thread.is_alive()
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.02)

    def stop(self) -> None:
        for client in self._clients:
            client.close()
        self.server.should_exit = True
        self._thread.join(PATIENCE)
        self.service.stop()
        self.brokers.stop()
