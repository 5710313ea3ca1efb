"""Real parts for the tests of mining: pools as processes, a sentry with its gateway, and a node whose devices hash."""

import http.server
import json
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tests.conftest import ROOT
from tests.sentry.rig import Sentry, ms
from tests.support.ports import free_ports
from tests.support.waiting import PATIENCE, wait_until

CHIP = "DUCOID0123456789ABCDEF"


def find(last: str, target: str, most: int) -> int:
    """The nonce, by trying; 0 when there is none."""
    return next((n for n in range(1, most + 1) if sha1(f"{last}{n}".encode()).hexdigest() == target), 0)


class Pool:
    """`farmhand pool serve` in a process of its own, always on the same port."""

    def __init__(self, *options: str) -> None:
        self.options, self.port = options, free_ports(1)[0]
        self._process: subprocess.Popen[str] | None = None

    def start(self, *options: str) -> None:
        argv = [sys.executable, "-m", "farmhand", "pool", "serve", "--port", str(self.port), "--json"]
        self._process = subprocess.Popen(
            [*argv, *self.options, *options], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        assert json.loads(self._process.stdout.readline())["port"] == self.port

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(PATIENCE)
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    def statistics(self) -> dict[str, Any]:
        miner = Miner(self.port)
        try:
            return json.loads(miner.ask("STATS"))
        finally:
            miner.close()


class Miner:
    """A plain client of a pool."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._socket.settimeout(PATIENCE)
        self._file = self._socket.makefile("r", newline="\n")
        self.version = self.line()

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def line(self) -> str:
        """The next line; "" at the end."""
        return self._file.readline().rstrip("\n")

    def send(self, text: str) -> None:
        self._socket.sendall(text.encode())

    def ask(self, line: str) -> str:
        self.send(line + "\n")
        return self.line()

    def job(self, tier: str = "AVR", user: str = "me") -> tuple[str, str, int]:
        last, target, difficulty = self.ask(f"JOB,{user},{tier},None").split(",")
        return last, target, int(difficulty)

    def solved(self, tier: str = "AVR") -> int:
        """The nonce of a new job."""
        last, target, difficulty = self.job(tier)
        return find(last, target, 100 * difficulty)


class PoolSentry(Sentry):
    """A sentry that is a gateway too; `pool`, `rig`: its settings FARMHAND_POOL_<NAME>, FARMHAND_RIG_<NAME>."""

    pool: dict[str, Any] = {}  # noqa: RUF012
    rig: dict[str, Any] = {}  # noqa: RUF012

    @property
    def place(self) -> dict[str, Any]:
        place = super().place
        values = {"retry_s": 0.1, "retry_most_s": 0.5, "report_s": 0.5, "shares_per_minute": 100_000, **self.pool}
        place["env"] |= {f"FARMHAND_POOL_{name.upper()}": str(value) for name, value in values.items()}
        place["env"] |= {f"FARMHAND_RIG_{name.upper()}": str(value) for name, value in self.rig.items()}
        return place


@dataclass
class Device:
    """What a node knows of one of its workers."""

    queue: "deque[dict[str, Any]]" = field(default_factory=deque)
    offered: dict[str, float] = field(default_factory=dict)  # job -> monotonic time of its first offer
    begun: dict[str, tuple[float, float]] = field(default_factory=dict)  # job -> when it was hashed: from, to
    verdicts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    most_in_hand: int = 0


class Node:
    """Speaks MQTT as a node with workers does, and hashes for them: every share is an outbox event, sent at once, sent
    again at each connection until there is a verdict, and `copies` times.

    `hashrate`: at most so many hashes per second (0: as fast as this machine can).
    """

    def __init__(self, port: int, devices: int, copies: int = 1, hashrate: float = 0, domain: str = "house") -> None:
        self.name, self.domain = "esp-1", domain
        self.devices = {f"avr-{8 + n}": Device() for n in range(devices)}
        self._copies, self._hashrate = copies, hashrate
        self._stream, self._seq = "s-" + secrets.token_hex(4), 0
        self._outbox: dict[str, tuple[str, bytes]] = {}
        self._changed = threading.Condition()
        self._running = True
        self._client = self._made()
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._threads = [threading.Thread(target=self._hash, args=(each,), daemon=True) for each in self.devices]
        for thread in self._threads:
            thread.start()

    def rest(self) -> None:
        """Hash no more, but listen."""
        with self._changed:
            self._running = False
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(PATIENCE)

    def close(self) -> None:
        self.rest()
        self._client.disconnect()
        self._client.loop_stop()

    def say(self, word: str, device: str) -> None:
        self._client.publish(self._topic(device, "state"), word, 1, True)

    def words(self, word: str) -> set[str]:
        """Jobs that have this verdict."""
        with self._changed:
            return {
                job
                for device in self.devices.values()
                for job, heard in device.verdicts.items()
                if any(each["word"] == word for each in heard)
            }

    def offered(self) -> dict[str, float]:
        with self._changed:
            return {job: at for device in self.devices.values() for job, at in device.offered.items()}

    def judged(self, count: int) -> None:
        """Wait for so many good shares."""
        wait_until(f"{count} good shares", lambda: len(self.words("GOOD") | self.words("BLOCK")) >= count, 60)

    def share(self, device: str, job: str, nonce: int, **change: Any) -> None:
        """Send a share, true or not."""
        self._seq += 1
        data = {"ts": ms(), "stream": self._stream, "seq": self._seq, "id": job, "nonce": nonce}
        data |= {"elapsed_us": 1000, "hashrate": 200.0, "chip": CHIP, **change}
        topic, payload = self._topic(device, "job/share"), json.dumps(data).encode()
        self._outbox[job] = (topic, payload)
        for _ in range(self._copies):
            self._client.publish(topic, payload, 1)

    def _made(self) -> paho.Client:
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=self.name, clean_session=False)
        client.username_pw_set(self.name, self.name)
        client.reconnect_delay_set(1, 1)
        client.on_connect = self._on_connect
        client.on_message = self._on_message
        client.on_socket_open = lambda _c, _d, sock: sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    def _topic(self, device: str, rest: str) -> str:
        return f"farm/{self.domain}/{self.name}/{device}/{rest}"

    def _on_connect(self, client: paho.Client, *_: Any) -> None:
        client.subscribe(self._topic("+", "job/offer"), 1)
        for device in self.devices:
            self.say("ready", device)
        with self._changed:
            again = list(self._outbox.values())
        for topic, payload in again:
            client.publish(topic, payload, 1)

    def _on_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        data = json.loads(message.payload)
        with self._changed:
            device = self.devices[message.topic.split("/")[3]]
            if verdict := data.get("verdict"):
                device.verdicts.setdefault(verdict["id"], []).append(verdict)
                self._outbox.pop(verdict["id"], None)
                if verdict["word"] == "LOST":
                    device.queue = deque(job for job in device.queue if job["id"] != verdict["id"])
            if (job := data.get("job")) and job["id"] not in device.offered:
                device.offered[job["id"]] = time.monotonic()
                device.queue.append(job)
                in_hand = set(device.offered) - set(device.verdicts)
                device.most_in_hand = max(device.most_in_hand, len(in_hand))
            self._changed.notify_all()

    def _hash(self, name: str) -> None:
        device = self.devices[name]
        while True:
            with self._changed:
                self._changed.wait_for(lambda: device.queue or not self._running)
                if not self._running:
                    return
                job = device.queue.popleft()
            begun = time.monotonic()
            nonce = find(job["last"], job["target"], 100 * job["difficulty"])
            if self._hashrate:  # a slower chip: as long as it would take
                ends = begun + nonce / self._hashrate
                with self._changed:
                    self._changed.wait_for(lambda: not self._running, max(0.0, ends - time.monotonic()))
            ended = time.monotonic()
            device.begun[job["id"]] = (begun, ended)
            took = max(1e-6, ended - begun)
            self.share(name, job["id"], nonce, elapsed_us=int(took * 1e6), hashrate=nonce / took)


@contextmanager
def finder(answer: dict[str, Any]) -> Iterator[str]:
    """URL of a server that names a pool, as getPool does."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/getPool"
        server.shutdown()
        thread.join(PATIENCE)
