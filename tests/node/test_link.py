"""The link alone, in MicroPython with the node's heap, against a real Mosquitto that is killed, frozen and replaced."""

import json
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest

from broker.certs import make_ca, make_server
from broker.passwords import hashed
from tests.conftest import program
from tests.node.rig import Broker
from tests.support.ports import free_ports
from tests.support.waiting import PATIENCE

BOARD = Path(__file__).parent / "board"


def micropython(node_main: Path, script: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    argv = [program("micropython") or "", "-X", "heapsize=64k", str(BOARD / script), *arguments]
    return argv, {**os.environ, "MICROPYPATH": str(node_main.parent)}


def test_a_hundred_thousand_publishes_cost_one_write_each_and_no_memory(broker: Broker, node_main: Path) -> None:
    argv, env = micropython(node_main, "soak.py", str(broker.port), "100000")
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["writes"] == 1, found
    assert found["bytes"] == 0, found
    assert found["grown"] <= 64, found


class Life:
    """board/life.py as a process, line by line."""

    def __init__(self, node_main: Path, ports: list[int], **wanted: Any) -> None:
        given = {"brokers": [["127.0.0.1", port] for port in ports], "every_ms": 0, "keepalive": 2, "timeout": 2}
        argv, env = micropython(node_main, "life.py", json.dumps({**given, **wanted}))
        self.process = subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines: queue.Queue[str] = queue.Queue()
        self.seen: list[str] = []
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as lines:
            for line in lines:
                self.lines.put(line.strip())

    def wait(self, words: str) -> str:
        """The next line that holds `words`."""
        while words not in (line := self.lines.get(timeout=PATIENCE)):
            self.seen.append(line)
        return line

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        self.reader.join()


class Listener:
    """Another client: hears everything, and says something."""

    def __init__(self, port: int, client_id: str = "listener", **tls: Any) -> None:
        self.heard: queue.Queue[tuple[str, bytes, bool]] = queue.Queue()
        ready = threading.Event()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=client_id)
        self.client.on_connect = lambda client, *_: client.subscribe("life/#", 1)
        self.client.on_subscribe = lambda *_: ready.set()
        self.client.on_message = lambda _c, _d, m: self.heard.put((m.topic, m.payload, m.retain))
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert ready.wait(PATIENCE)

    def wait(self, topic: str, test: Callable[[bytes, bool], bool] = lambda _p, _r: True) -> bytes:
        while True:
            heard, payload, retained = self.heard.get(timeout=PATIENCE)
            if heard == topic and test(payload, retained):
                return payload

    def stop(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


Start = Callable[..., Life]


@pytest.fixture
def live(node_main: Path) -> Iterator[Start]:
    lives: list[Life] = []

    def start(ports: list[int], **wanted: Any) -> Life:
        lives.append(Life(node_main, ports, **wanted))
        return lives[-1]

    yield start
    for life in lives:
        life.stop()


def test_birth_and_will_are_retained_and_a_killed_broker_is_found_again(broker: Broker, live: Start) -> None:
    life = live([broker.port], every_ms=20)
    life.wait("connected")
    listener = Listener(broker.port)
    assert listener.wait("life/birth", lambda _, retained: retained) == b"birth of %d" % broker.port
    before = int(listener.wait("life/out"))
    broker.stop(signal.SIGKILL)
    life.wait("down")
    broker.start()
    life.wait("connected")
    assert int(listener.wait("life/out", lambda payload, _: int(payload) > before))
    life.stop()
    assert listener.wait("life/state") == b"lost"
    late = Listener(broker.port, "late")
    late.wait("life/state", lambda payload, retained: retained and payload == b"lost")
    late.stop()
    listener.stop()


@pytest.mark.parametrize(
    "traffic", [{}, {"every_ms": 20}, {"every_ms": 20, "qos": 0}, {"every_ms": 1, "qos": 0, "pad": 8000}]
)
def test_a_frozen_broker_is_left_in_time(broker: Broker, live: Start, traffic: dict[str, int]) -> None:
    life = live([broker.port], **traffic)
    life.wait("connected")
    if traffic:
        listener = Listener(broker.port)
        listener.wait("life/out")
        listener.stop()
    broker.send(signal.SIGSTOP)
    life.wait("down")
    broker.send(signal.SIGCONT)
    life.wait("connected")
    took = [int(line.split()[1]) for line in life.seen if line.startswith("blocked")]
    assert all(each < 2500 for each in took), life.seen  # no call lasts longer than the time limit


def test_after_a_break_it_hears_again_what_it_subscribed_to(broker: Broker, live: Start) -> None:
    life = live([broker.port])
    life.wait("connected")
    for word in ("one", "two"):
        listener = Listener(broker.port, word)
        listener.client.publish("life/in", word, 1)
        assert life.wait("heard") == f"heard life/in b'{word}' False"
        listener.stop()
        broker.stop(signal.SIGKILL)
        life.wait("down")
        broker.start()
        life.wait("connected")


def test_a_session_taken_over_is_no_storm(broker: Broker, live: Start) -> None:
    life = live([broker.port])
    life.wait("connected")
    twin = Listener(broker.port, "life")  # paho comes back after a second, each time
    life.wait("connection closed")
    life.wait("connected")
    twin.stop()
    listener = Listener(broker.port)
    listener.client.publish("life/in", "alone", 1)
    life.wait("alone")
    listener.stop()


def test_a_refused_user_is_said_and_tried_again(tmp_path: Path, live: Start) -> None:
    passwords = tmp_path / "passwords"
    passwords.write_text("")
    broker = Broker(tmp_path, "allow_anonymous false", f"password_file {passwords}")
    try:
        life = live([broker.port], user="ann")
        assert "refused (5): user or password" in life.wait("link:")
        passwords.write_text(f"ann:{hashed('ann')}\n")
        broker.send(signal.SIGHUP)
        life.wait("connected")
    finally:
        broker.stop()


def test_a_dead_first_broker_is_passed_over(broker: Broker, live: Start) -> None:
    dead = free_ports(1)[0]
    life = live([dead, broker.port])
    life.wait(f"connected {broker.port}")
    assert any("errno 111" in line for line in life.seen), life.seen


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[Broker, Path]]:
    """A broker that speaks TLS alone, and the folder of ca.pem and other.pem (a CA that signed nothing)."""
    ca, key = make_ca("farm")
    certificate, secret = make_server(ca, key, "broker.barn.lan")
    for name, text in (("ca", ca), ("other", make_ca("other")[0]), ("cert", certificate), ("key", secret)):
        (tmp_path / f"{name}.pem").write_text(text)
    broker = Broker(
        tmp_path, "allow_anonymous true", f"certfile {tmp_path / 'cert.pem'}", f"keyfile {tmp_path / 'key.pem'}"
    )
    yield broker, tmp_path
    broker.stop()


def test_tls_with_the_right_ca(secure: tuple[Broker, Path], live: Start) -> None:
    broker, folder = secure
    life = live([broker.port], tls={"ca": str(folder / "ca.pem"), "server_hostname": "broker.barn.lan"}, every_ms=20)
    life.wait("connected")
    broker.stop(signal.SIGKILL)
    life.wait("down")
    broker.start()
    life.wait("connected")
    broker.send(signal.SIGSTOP)
    life.wait("down")
    broker.send(signal.SIGCONT)
    life.wait("connected")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ca": "other.pem"}, "tls: The certificate is not correctly signed by the trusted CA"),
        ({"server_hostname": "evil.lan"}, "tls: The certificate Common Name (CN) does not match"),
        ({"ca": "key.pem"}, "key.pem: is no certificate"),
        ({"ca": "nothing.pem"}, "nothing.pem: is no certificate"),
    ],
)
def test_tls_refuses_what_it_cannot_trust(
    secure: tuple[Broker, Path], live: Start, change: dict[str, str], words: str
) -> None:
    broker, folder = secure
    wanted = {"ca": "ca.pem", "server_hostname": "broker.barn.lan", **change}
    life = live([broker.port], tls={**wanted, "ca": str(folder / wanted["ca"])})
    assert words in life.wait("link:")
    life.wait("link:")
    assert not any("connected" in line for line in life.seen)
