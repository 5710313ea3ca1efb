"""Real parts for the sentry's tests: a Mosquitto with the farm's own conf and ACL, sentries.

The commander's side of the wire (marks, signed messages, enrolment) is a plain MQTT client.
"""

import base64
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import paho.mqtt.client as paho
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from paho.mqtt.enums import CallbackAPIVersion

from broker import domains, mosquitto
from broker.passwords import hashed
from broker.users import User
from schema import topics, trust
from schema.fleet import MESSAGES
from sentry.home import Credential
from tests.conftest import ROOT
from tests.support.mosquitto import Mosquitto
from tests.support.ports import free_ports
from tests.support.waiting import PATIENCE

USERS: tuple[tuple[str, Any], ...] = (("commander", "commander"), ("rig1", "node"), ("t1", "token"))


class HouseBroker(Mosquitto):
    """The broker of a farm of one domain; every user's password is its name."""

    def __init__(self, folder: Path, tls: str = "", others: Sequence[User] = ()) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(folder, free_ports(1)[0])
        text = f"[domains.house]\nhome = true\nport = {self.port}\n{tls}"
        self.farm = domains.load(text, "farm.toml")
        taken = {user.user for user in others}
        users = [User(name, hashed(name), role) for name, role in USERS if name not in taken]
        self.know([*users, *others])
        run_as = "root" if os.getuid() == 0 else None
        conf = mosquitto.conf(self.farm, "house", str(folder), {}, run_as)
        (folder / "mosquitto.conf").write_text(conf)

    def know(self, users: Sequence[User]) -> None:
        """Write who may do what; a running broker reads it at SIGHUP."""
        (self.folder / "passwd").write_text(mosquitto.passwd(users))
        (self.folder / "acl").write_text(mosquitto.acl(self.farm, "house", users))
        for name in ("passwd", "acl"):
            (self.folder / name).chmod(0o600)


class Peer:
    """A plain MQTT client as the commander; it keeps what it hears, in order."""

    def __init__(self, port: int, user: str = "commander", filters: str = "farm/#") -> None:
        self.heard: Queue[paho.MQTTMessage] = Queue()
        self.key = Ed25519PrivateKey.generate()
        ready = threading.Event()
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"test-{user}")
        self.client.username_pw_set(user, user)
        self.client.max_inflight_messages_set(0)
        self.client.on_connect = lambda c, *_: c.subscribe(filters, 1)
        self.client.on_subscribe = lambda *_: ready.set()
        self.client.on_message = lambda _c, _u, message: self.heard.put(message)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert ready.wait(PATIENCE)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        self.client.publish(topic, payload, 1, retain).wait_for_publish(PATIENCE)

    def expect(self, rest: str, fits: Callable[[Any], bool] = lambda _: True) -> Any:
        """Data of the next message whose topic ends so and that fits; others are passed over."""
        end = time.monotonic() + PATIENCE
        seen: list[str] = []
        while True:
            try:
                message = self.heard.get(timeout=max(0.01, end - time.monotonic()))
            except Empty:
                raise AssertionError(f"no {rest}; heard only {seen[-30:]}") from None
            seen.append(f"{message.topic} {message.payload[:300]!r}")
            if message.topic.endswith(rest):
                data = read(message)
                if fits(data):
                    return data

    def mark(self, stream: str, seq: int, node: str = "rig1") -> None:
        payload = json.dumps({"marks": {stream: seq}}).encode()
        self.publish(f"farm/house/{node}/self/stored", payload, retain=True)

    def sealed(self, key: str, name: str, body: dict[str, Any]) -> tuple[str, bytes]:
        """(topic, payload) signed by this commander."""
        topic = topics.build(MESSAGES[key], "farm", "house", "rig1", name=name)
        return topic, trust.seal(MESSAGES[key], topic, body, self.key.sign)

    def command(self, name: str, id_: str, **change: Any) -> tuple[str, bytes]:
        body = {"id": id_, "exp": ms() + 60_000, "epoch": 1, "args": {}} | change
        return self.sealed("cmd", name, body)

    @property
    def verify(self) -> str:
        return base64.b64encode(self.key.public_key().public_bytes_raw()).decode()


class Store:
    """Keeps what a sentry's outbox sends, as the commander does, and publishes the marks.

    ``loses(arrival number)``: what this one forgets on arrival, as a broker's full queue does.
    """

    def __init__(self, peer: Peer, loses: Callable[[int], bool] = lambda _: False) -> None:
        self.rows: dict[tuple[str, int], bytes] = {}
        self.marks: dict[str, int] = {}
        self.gaps: dict[str, set[int]] = {}
        self.arrivals = 0
        self._peer, self._loses = peer, loses
        self._running = True
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._running = False
        self._thread.join(PATIENCE)

    def _serve(self) -> None:
        told: dict[str, int] = {}
        while self._running:
            try:
                self._take(self._peer.heard.get(timeout=0.1))
                while True:
                    self._take(self._peer.heard.get_nowait())
            except Empty:
                pass
            for stream, mark in self.marks.items():
                if told.get(stream) != mark:
                    told[stream] = mark
                    self._peer.mark(stream, mark)

    def _take(self, message: paho.MQTTMessage) -> None:
        data = read(message)
        if not isinstance(data, dict) or "stream" not in data or "marks" in data:
            return
        self.arrivals += 1
        if self._loses(self.arrivals):
            return
        stream = data["stream"]
        given_up = self.gaps.setdefault(stream, set())
        if "from" in data:
            given_up |= set(range(data["from"], data["to"] + 1))
        else:
            place = (stream, data["seq"])
            assert self.rows.setdefault(place, message.payload) == message.payload
        mark = self.marks.get(stream, 0)
        while (stream, mark + 1) in self.rows or mark + 1 in given_up:
            mark += 1
        self.marks[stream] = mark


class Sentry:
    """A `farmhand sentry run` in a process of its own."""

    def __init__(self, state: Path, **settings: Any) -> None:
        self.state, self.settings = state, settings
        self.process: subprocess.Popen[bytes] | None = None

    def enrolled(self, broker: str, verify: str) -> None:
        """As after an enrolment, for tests that are about something else."""
        self.state.mkdir(parents=True, exist_ok=True)
        credential = Credential(broker, "farm", "house", "rig1", "cpu-gpu", "rig1", verify)
        (self.state / "credential.json").write_text(json.dumps(asdict(credential)))

    def start(self) -> None:
        with open(self.state / "log", "ab") as log:
            self.process = subprocess.Popen(self.argv("run"), stdout=log, stderr=log, **self.place)

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        self.process = None
        return code

    def ask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.argv(*arguments), capture_output=True, text=True, check=False, **self.place)

    def argv(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "farmhand", "sentry", *arguments]

    @property
    def place(self) -> dict[str, Any]:
        values = {"state": self.state, "retry_s": 0.2, "retry_most_s": 0.5, **self.settings}
        names = {f"FARMHAND_SENTRY_{name.upper()}": str(value) for name, value in values.items()}
        return {"cwd": ROOT, "env": {**os.environ, **names}}

    def status(self) -> dict[str, Any]:
        answer = self.ask("status", "--json")
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)

    def rows(self, query: str) -> list[Any]:
        with sqlite3.connect(f"file:{self.state}/outbox.sqlite?mode=ro", uri=True) as db:
            return db.execute(query).fetchall()

    def log(self) -> str:
        return (self.state / "log").read_text()


def read(message: paho.MQTTMessage) -> Any:
    try:
        return json.loads(message.payload)
    except ValueError:
        return message.payload.decode()


def ms() -> int:
    return time.time_ns() // 1_000_000
