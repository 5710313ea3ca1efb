"""A commander as the product runs it: a broker with its steward, the line, HTTP on a free port."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from commander.http_edge import create_app
from commander.service import Service
from commander.settings import Settings
from tests.broker.farm import Client, RunningFarm
from tests.support.farms import HOUSE, HTTP
from tests.support.ports import free_ports
from tests.support.waiting import PATIENCE, wait_until

FARM = HOUSE + HTTP


class Serving:
    """`admin`, `operator`, `reader`, `nobody`: HTTP clients of `service`."""

    def __init__(self, state: Path, database: str):
        ports = free_ports(2)
        self.url = f"http://127.0.0.1:{ports[1]}"
        self.brokers = RunningFarm(state, FARM.format(*ports)).start()
        settings = Settings(state=state, database=database, housekeeping_s=3600, marks_every_s=0.1, notify_pause_s=0)
        self.service = Service(settings)
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

    def machine(self, name: str, **more: Any) -> Client:
        """MQTT as a node of the house: row (with `more`) and credential as an enrolment makes them."""
        from broker.passwords import hashed
        from commander.effects import Put
        from commander.fleet.enrolment import credentials
        from tests.commander.line import node_row

        row = node_row(name, password_hash=hashed(name), **more)

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
        def answered() -> Any:
            try:
                return test()
            except httpx.TransportError:
                assert self._thread.is_alive()
                return None

        wait_until("what the commander shall answer", answered)

    def stop(self) -> None:
        for client in self._clients:
            client.close()
        self.server.should_exit = True
        self._thread.join(PATIENCE)
        self.service.stop()
        self.brokers.stop()


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Shared by the tests of a module."""
    serving = Serving(tmp_path_factory.mktemp("farm"), "sqlite")
    try:
        yield serving
    finally:
        serving.stop()
