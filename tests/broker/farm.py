"""A farm of real brokers for the tests: free ports, stewards as processes, raw MQTT clients."""

import base64
import itertools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import paho.mqtt.client as paho
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from paho.mqtt.enums import CallbackAPIVersion

from broker.bootstrap import bootstrap, domain_dir, secrets_for
from broker.domains import load
from broker.passwords import hashed
from schema.fleet import DESIRED
from schema.topics import build
from schema.trust import seal
from tests.conftest import ROOT
from tests.support.waiting import PATIENCE


class Client:
    """A raw MQTT client; everything it receives is kept in order."""

    def __init__(
        self,
        port: int,
        user: str,
        password: str,
        client_id: str = "",
        clean: bool = True,
        **tls: Any,
    ):
        self.messages: Queue[tuple[str, bytes, bool]] = Queue()
        self.connected, self.gone = threading.Event(), threading.Event()
        self.refusal = ""
        self.granted = threading.Event()
        self._filters: list[tuple[str, int]] = []
        self._acknowledged: Queue[int] = Queue()
        self._paho = client = paho.Client(CallbackAPIVersion.VERSION2, client_id or user, clean_session=clean)
        client.username_pw_set(user, password)
        if tls:
            client.tls_set(**tls)
        client.on_connect = self._on_connect
        client.reconnect_delay_set(0.01, 0.1)
        client.on_publish = lambda _c, _u, mid, *_: self._acknowledged.put(mid)
        client.on_disconnect = lambda *_: self.gone.set()
        client.on_subscribe = lambda *_: self.granted.set()
        client.on_message = lambda _c, _u, m: self.messages.put((m.topic, m.payload, m.retain))
        client.connect("127.0.0.1", port, keepalive=30)
        client.loop_start()

    def _on_connect(self, _c: Any, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
        if reason.is_failure:
            self.refusal = str(reason)
            self._paho.disconnect()
        elif self._filters:  # a broker that was killed has forgotten them
            self._paho.subscribe(self._filters)
        self.connected.set()

    def ready(self) -> "Client":
        assert self.connected.wait(PATIENCE)
        assert not self.refusal, self.refusal
        return self

    def subscribe(self, *filters: str) -> "Client":
        self.granted.clear()
        self._filters += [(each, 1) for each in filters]
        self._paho.subscribe([(each, 1) for each in filters])
        assert self.granted.wait(PATIENCE)
        return self

    def publish(self, topic: str, payload: bytes | str = b"x", retain: bool = False) -> None:
        """Publish and wait for the acknowledgement, over a lost connection if need be."""
        self._paho.publish(topic, payload, 1, retain)
        self._acknowledged.get(timeout=PATIENCE)

    def expect(self, wanted: Callable[[str, bytes], bool], seconds: float = PATIENCE) -> bytes:
        """Payload of the first message from here on that is ``wanted``."""
        end = time.monotonic() + seconds
        seen: list[tuple[str, bytes]] = []
        while True:
            try:
                topic, payload, _ = self.messages.get(timeout=max(0.0, end - time.monotonic()))
            except Empty:
                raise AssertionError(f"not received; last seen: {seen[-8:]}") from None
            seen.append((topic, payload))
            if wanted(topic, payload):
                return payload

    def until(self, topic: str) -> list[str]:
        """Topics that came before a message on ``topic``: a fence instead of a pause."""
        seen: list[str] = []
        self.expect(lambda each, _: seen.append(each) or each == topic)
        return seen[:-1]

    def close(self) -> None:
        self._paho.disconnect()
        self._paho.loop_stop()
        # paho closes its sockets when it is deleted, which a cycle of references would put off.
        self._paho.on_connect = self._paho.on_disconnect = self._paho.on_subscribe = None
        self._paho.on_publish = self._paho.on_message = None


class RunningFarm:
    """farm.toml -> bootstrapped state directory -> one steward process per domain."""

    def __init__(self, state: Path, farm_toml: str):
        self.state = state
        state.mkdir(parents=True, exist_ok=True)
        (state / "farm.toml").write_text(farm_toml)
        self.farm = load(farm_toml)
        bootstrap(self.farm, state)
        self.secrets = secrets_for(self.farm, state)
        self.key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(self.secrets.ed25519["private"]))
        self.stewards: dict[str, subprocess.Popen[str]] = {}
        self.said: dict[str, Queue[str]] = {}
        self.clients: list[Client] = []
        self.revs = 0
        self.numbers = itertools.count()

    def start(self, *domains: str) -> "RunningFarm":
        for domain in domains or tuple(self.farm.domains):
            directory = domain_dir(self.state, domain)
            self.stewards[domain] = process = subprocess.Popen(
                [sys.executable, "-c", "from broker.cli import app; app()", "up", str(directory)],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            said: Queue[str] = Queue()
            self.said[domain] = said
            threading.Thread(target=self._read, args=(process, said), daemon=True).start()
        for domain in domains or tuple(self.farm.domains):
            self.hear(domain, "ready")
        return self

    @staticmethod
    def _read(process: "subprocess.Popen[str]", said: "Queue[str]") -> None:
        assert process.stdout is not None
        with process.stdout as output:
            for line in output:
                said.put(line.rstrip())
        said.put("(end)")

    def hear(self, domain: str, start: str) -> str:
        lines: list[str] = []
        while True:
            try:
                line = self.said[domain].get(timeout=PATIENCE)
            except Empty:
                raise AssertionError(f"{domain} never said {start!r}: {lines}") from None
            lines.append(line)
            if line.startswith(start):
                return line
            assert line != "(end)", lines

    def mosquitto_pid(self, domain: str) -> int:
        parent = self.stewards[domain].pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        assert len(children) == 1
        return int(children[0])

    def client(self, domain: str, user: str, password: str, client_id: str = "", clean: bool = True) -> Client:
        # Two clients under one id would throw each other out, for ever.
        client_id = client_id or f"{user}-{next(self.numbers)}"
        client = Client(self.farm.domains[domain].port, user, password, client_id, clean)
        self.clients.append(client)
        return client.ready()

    def commander(self, client_id: str = "", clean: bool = True) -> Client:
        password = self.secrets.commander["password"]
        return self.client(self.farm.home, "commander", password, client_id, clean)

    def steward(self, domain: str) -> Client:
        name = f"steward-{domain}"
        password = self.secrets.stewards[domain]
        return self.client(domain, name, password)

    def desired(self, domain: str, document: str, data: Any, **change: Any) -> tuple[str, bytes]:
        """Topic and signed payload of a document for a steward."""
        self.revs += 1
        body = {"rev": self.revs, "epoch": 1, "data": data} | change
        topic = build(DESIRED, "farm", domain, f"steward-{domain}", name=document)
        return topic, seal(DESIRED, topic, body, self.key.sign)

    def give(self, domain: str, users: Iterable[tuple[str, str, list[str]]]) -> None:
        """Users (name, role, grants) with their name as password, through a real document."""
        commander = self.commander()
        reported = f"farm/{domain}/steward-{domain}/self/reported/credentials"
        commander.subscribe(reported)
        entries = [{"user": name, "hash": hashed(name), "role": role, "grants": grants} for name, role, grants in users]
        topic, payload = self.desired(domain, "credentials", {"users": entries})
        commander.publish(topic, payload, retain=True)
        rev = self.revs
        answer = commander.expect(lambda _, p: json.loads(p)["rev"] == rev)
        assert json.loads(answer)["status"] == "applied"
        commander.close()

    def stop(self) -> None:
        for client in self.clients:
            client.close()
        for process in self.stewards.values():
            process.terminate()
        for process in self.stewards.values():
            process.wait(PATIENCE)
