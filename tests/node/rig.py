"""Real parts for the node's tests: a Mosquitto that can be killed and frozen, a peer that plays
the commander, a node in MicroPython."""

import base64
import getpass
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt

from schema import fleet, mining, topics, trust, wire
from schema.message import Message
from tests.conftest import ROOT, program
from tests.support.mosquitto import Mosquitto
from tests.support.ports import free_ports
from tests.support.waiting import PATIENCE, wait_until

UMQTT = ROOT / ".local" / "micropython"
SELF = "farm/barn/esp-1/self/"
MESSAGES = {**fleet.MESSAGES, **mining.MESSAGES}


class Broker(Mosquitto):
    """A Mosquitto on a free port of 127.0.0.1, with the lines given added to its configuration."""

    def __init__(self, folder: Path, *lines: str):
        super().__init__(folder, free_ports(1)[0])
        wanted = lines or ("allow_anonymous true",)
        (folder / "mosquitto.conf").write_text(
            "\n".join(
                [
                    f"listener {self.port} 127.0.0.1",
                    "set_tcp_nodelay true",
                    "log_dest none",
                    f"user {getpass.getuser()}",
                    *wanted,
                    "",
                ]
            )
        )
        self.start()


class Peer:
    """Stands where the commander stands: hears what nodes say, checks it against the schema, and
    can sign."""

    def __init__(self, port: int, key: bytes = b"k" * 32, user: str | None = None):
        self.key = key
        self.heard: list[tuple[str, Any, bool]] = []
        self._new = threading.Condition()
        ready = threading.Event()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="peer", clean_session=False)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = lambda client, *_: client.subscribe("farm/#", 1)
        self.client.on_subscribe = lambda *_: ready.set()
        self.client.on_message = self._take
        if user:
            self.client.username_pw_set(user, user)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert ready.wait(PATIENCE)

    def _take(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        if message.payload and not any(part in message.topic for part in ("/cmd/", "/desired/", "/stored")):
            at = topics.parse(message.topic, "farm")
            data = wire.decode(topics.declaration(MESSAGES, at), message.payload)
            with self._new:
                self.heard.append((message.topic, data, message.retain))
                self._new.notify_all()

    def wait(
        self, tail: str, test: Callable[[Any], bool] = lambda _: True, since: int = 0, patience: float = PATIENCE
    ) -> Any:
        """Data of the first message on a topic that ends in `tail` and passes the test."""

        def found() -> Any:
            return next(
                (item for item in self.heard[since:] if item[0].endswith(tail) and test(item[1])),
                None,
            )

        with self._new:
            assert self._new.wait_for(found, patience), f"waited in vain for {tail}; heard {self.heard[-5:]}"
            return found()[1]

    def events(self, stream: str) -> list[int]:
        """Sequence numbers heard of a stream, each once, in order."""
        return sorted(
            {d["seq"] for _, d, _ in self.heard if isinstance(d, dict) and d.get("stream") == stream and "seq" in d}
        )

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        wait_until("the peer's connection", self.client.is_connected)
        self.client.publish(topic, payload, 1, retain).wait_for_publish(PATIENCE)

    def sealed(self, message: Message, topic: str, data: dict[str, Any]) -> bytes:
        return trust.seal(message, topic, data, lambda text: trust.hmac_sha256(self.key, text))

    def command(self, topic: str, identity: str, retain: bool = False, **changes: Any) -> None:
        data = {
            "id": identity,
            "exp": int(time.time() * 1000) + 60000,
            "epoch": 5,
            "args": {},
            **changes,
        }
        self.publish(topic, self.sealed(fleet.CMD, topic, data), retain)

    def stop(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


class NodeProcess:
    """A node in the MicroPython interpreter, with a heap of 64 KB unless told otherwise."""

    def __init__(self, main: Path, folder: Path, config: dict[str, Any], heap: str = ""):
        folder.mkdir(exist_ok=True)
        self.config = folder / "config.json"
        self.config.write_text(json.dumps(config))
        self.main = main
        self.heap = heap or os.environ.get("FARMHAND_NODE_HEAP", "64k")
        self.log = folder / "log.txt"
        self.process: subprocess.Popen[bytes]
        self.start()

    def start(self) -> None:
        micropython = program("micropython")
        assert micropython
        with self.log.open("ab") as log:
            argv = [micropython, "-X", f"heapsize={self.heap}", str(self.main), str(self.config)]
            self.process = subprocess.Popen(argv, stdout=log, stderr=log, env={**os.environ, "MICROPYPATH": ""})

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def credential_config(port: int, key: bytes = b"k" * 32, **more: Any) -> dict[str, Any]:
    """config.json of a node that is already enrolled, measuring five times a second."""
    return {
        "domain": "barn", "node": "esp-1", "password": "secret", "verify":
        base64.b64encode(key).decode(),
        "brokers": [["127.0.0.1", port]], "interval_s": 0.2, "heartbeat_s": 1, "timeout_s": 2,
        "backoff_s": 1, **more,
    }  # fmt: skip


Start = Callable[..., NodeProcess]
