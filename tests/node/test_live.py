"""A node in the MicroPython interpreter (64 KB heap) against a real Mosquitto, hour by hour of its
life in seconds."""

import base64
import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from broker.passwords import hashed
from schema import fleet, tokens
from tests.node.rig import SELF, Broker, Peer, Start, credential_config
from tests.support.waiting import PATIENCE, wait_until


def store(peer: Peer, stream: str) -> int:
    """Say, as the commander does, that everything heard so far without a hole is stored. Returns
    the mark."""
    heard = set(peer.events(stream))
    for _, data, _ in list(peer.heard):
        if isinstance(data, dict) and data.get("stream") == stream and "why" in data:
            heard |= set(range(data["from"], data["to"] + 1))
    mark = 0
    while mark + 1 in heard:
        mark += 1
    peer.publish(SELF + "stored", json.dumps({"marks": {stream: mark}}).encode(), True)
    return mark


def test_birth_telemetry_frames_and_will(broker: Broker, peer: Peer, start: Start) -> None:
    node = start(
        credential_config(
            broker.port,
        )
    )
    info = peer.wait("self/info")
    assert info["kind"] == "esp"
    assert info["parts"]["connectivity"] == {"rtt_ms": "ms", "rssi_dbm": "dBm"}
    assert info["alive_ms"] == 2500
    peer.wait("self/state", lambda word: word == "ready")
    peer.wait("tele/load", lambda data: data["load1"] >= 0 and data["seq"] > 1)
    peer.wait("tele/connectivity", lambda data: data["rtt_ms"] is not None and 0 < data["rtt_ms"] < 2000)
    assert peer.wait("tele/node")["mem_free"] > 4000
    words = [data for topic, data, _ in peer.heard if topic == SELF + "state"]
    assert words == ["init", "ready"]
    node.stop()
    peer.wait("self/state", lambda word: word == "lost")


def test_streams_of_steps_as_telemetry_and_in_frames(broker: Broker, peer: Peer, start: Start) -> None:
    streams = {
        "delay": {
            "from": "connectivity",
            "steps": [{"step": "select", "fields": ["rtt_ms"]}, {"step": "mean", "count": 3}],
        },
        "memory": {
            "from": "load", "send": "frame", "latest": True, "frame": {"frame_ms": 1000, "values": 5},
            "steps": [{"step": "select", "fields": ["mem_free"]}],
        },
    }  # fmt: skip
    start(credential_config(broker.port, streams=streams), heap="96k")
    info = peer.wait("self/info")
    assert info["parts"]["delay"] == {"rtt_ms": "ms"}
    assert info["parts"]["memory"] == {"mem_free": "B"}
    assert info["streams"]["memory"]["scale"] == [1]
    assert peer.wait("tele/delay")["rtt_ms"] > 0
    number, base, values = peer.wait("data/memory", lambda frame: frame[0] == 1)
    assert number == 1
    assert abs(base - time.time() * 1000) < 60000
    assert len(values) == 5
    assert all(type(value) is int for value in values)
    assert peer.wait("latest/memory")["mem_free"] > 0


def test_ctrl_c_says_disconnected(broker: Broker, peer: Peer, start: Start) -> None:
    node = start(credential_config(broker.port))
    peer.wait("self/state", lambda word: word == "ready")
    node.process.send_signal(signal.SIGINT)
    peer.wait("self/state", lambda word: word == "disconnected")
    assert node.process.wait(PATIENCE) == 0


def test_commands_and_what_is_refused(broker: Broker, peer: Peer, start: Start) -> None:
    start(credential_config(broker.port))
    stream = peer.wait("evt/boot")["stream"]
    peer.wait("self/state", lambda word: word == "ready")

    def refusal(field: str) -> dict[str, Any]:
        found = peer.wait("evt/refused", lambda data: data["field"] == field)
        store(peer, stream)
        return found

    peer.command(SELF + "cmd/ping", "c1")
    assert peer.wait("ack/c1")["status"] == "done"
    peer.command(SELF + "cmd/ping", "c1")
    assert "used before" in refusal("id")["problem"]
    peer.command(SELF + "cmd/ping", "c2", exp=1)
    refusal("exp")
    peer.command(SELF + "cmd/ping", "c3", epoch=4)
    refusal("epoch")
    peer.publish(SELF + "cmd/ping", b'{"id":"c4","exp":9999999999999,"epoch":5,"args":{}}')
    refusal("id")
    honest = peer.sealed(fleet.CMD, SELF + "cmd/ping", {"id": "c5", "exp": 2**42, "epoch": 5, "args": {}})
    peer.publish(SELF + "cmd/logs", honest)  # signed, but for another topic
    assert "does not fit" in refusal("sig")["problem"]
    peer.publish(SELF + "cmd/ping", b"x" * 5000)
    assert "at most 4096" in refusal("payload")["problem"]
    peer.command(SELF + "cmd/sing", "c6")
    assert peer.wait("ack/c6")["status"] == "refused"
    peer.command(SELF + "cmd/identify", "c7")
    assert peer.wait("ack/c7")["result"]["node"] == "esp-1"
    peer.command(SELF + "cmd/logs", "c8")
    assert any("refused cmd/ping" in line for line in peer.wait("ack/c8")["result"]["lines"])
    assert not any(topic.endswith(("ack/c2", "ack/c3", "ack/c4", "ack/c5")) for topic, _, _ in peer.heard)


def test_retained_command_is_refused_at_the_next_start(broker: Broker, peer: Peer, start: Start) -> None:
    peer.command(SELF + "cmd/ping", "c9", retain=True)
    start(credential_config(broker.port))
    peer.wait("evt/refused", lambda data: data["field"] == "retain")
    assert not any("ack/" in topic for topic, _, _ in peer.heard)


def test_every_event_arrives_although_the_broker_dies(broker: Broker, peer: Peer, start: Start) -> None:
    queue = {"events": 40, "bytes": 8000}
    start(credential_config(broker.port, queue=queue, interval_s=1))
    stream = peer.wait("evt/boot")["stream"]
    wait_until("some events stored", lambda: store(peer, stream) > 3)
    broker.stop(signal.SIGKILL)
    time.sleep(2)  # the node goes on measuring into its queue
    broker.start()
    before = max(peer.events(stream))
    wait_until("events after the fault stored", lambda: store(peer, stream) > before + 10)
    assert not any(topic.endswith("evt/gap") for topic, _, _ in peer.heard)
    assert peer.wait("tele/node", lambda data: data["reconnects"] >= 1)["dropped"] == 0


def test_what_the_queue_gave_up_is_declared(broker: Broker, peer: Peer, start: Start) -> None:
    start(credential_config(broker.port, queue={"events": 5, "bytes": 6000}))
    stream = peer.wait("evt/boot")["stream"]
    gap = peer.wait("evt/gap", lambda data: data["to"] > 10)
    assert gap["from"] >= 1
    assert gap["stream"] == stream
    before = max(peer.events(stream))
    wait_until("the mark to pass the gap", lambda: store(peer, stream) > before)


def test_a_frozen_broker_is_noticed_and_left(broker: Broker, peer: Peer, start: Start) -> None:
    start(credential_config(broker.port))
    stream = peer.wait("evt/boot")["stream"]
    wait_until("some events stored", lambda: store(peer, stream) > 4)
    broker.send(signal.SIGSTOP)
    node_log = broker.folder / "node" / "log.txt"
    wait_until(
        "the node to give up",
        lambda: "no answer for 2 s" in node_log.read_text() or "errno" in node_log.read_text(),
    )
    broker.send(signal.SIGCONT)
    peer.wait("tele/node", lambda data: data["reconnects"] >= 1)
    before = max(peer.events(stream))
    wait_until("events after the fault stored", lambda: store(peer, stream) > before)


def test_enrolment_then_a_life_as_a_user(tmp_path: Path, start: Start) -> None:
    passwords = tmp_path / "passwords"

    def user(name: str, secret: str) -> None:
        with passwords.open("a") as file:
            file.write(f"{name}:{hashed(secret)}\n")

    user("t-1", "token-secret")
    user("peer", "peer")
    broker = Broker(tmp_path, "allow_anonymous false", f"password_file {passwords}")
    try:
        peer = Peer(broker.port, user="peer")
        token = tokens.build("barn", "t-1", "token-secret")
        node = start(
            {
                "token": token,
                "brokers": [["127.0.0.1", broker.port]],
                "interval_s": 0.2,
                "heartbeat_s": 1,
                "backoff_s": 1,
            }
        )
        request = peer.wait("enrol/barn/t-1/req")
        assert request["sign"] == "hmac"
        assert request["kind"] == "esp"
        answer = {
            "nonce": request["nonce"], "node": "esp-7", "password": "node-secret", "epoch": 3,
            "verify": base64.b64encode(peer.key).decode(),
        }  # fmt: skip
        peer.publish("farm/_/enrol/barn/t-1/res", json.dumps({**answer, "nonce": "of-another"}).encode())
        peer.publish("farm/_/enrol/barn/t-1/res", json.dumps(answer).encode())
        wait_until(
            "the broker to refuse the user it does not know",
            lambda: "user or password" in node.log.read_text(),
        )
        user("esp-7", "node-secret")
        broker.send(signal.SIGHUP)
        peer.wait("esp-7/self/state", lambda word: word == "ready")
        peer.command("farm/barn/esp-7/self/cmd/ping", "c1")
        peer.wait("ack/c1")
        count = len(peer.heard)
        node.stop()
        node.start()  # with the credential it kept: no second enrolment
        peer.wait("esp-7/self/state", lambda word: word == "ready", since=count)
        assert not any("enrol" in topic for topic, _, _ in peer.heard[count:])
        peer.stop()
    finally:
        broker.stop()


def test_a_refused_token_ends_with_the_reason(broker: Broker, peer: Peer, start: Start) -> None:
    node = start(
        {
            "token": tokens.build("barn", "t-2", "s"),
            "brokers": [["127.0.0.1", broker.port]],
            "node": "esp-9",
        }
    )
    request = peer.wait("enrol/barn/t-2/req")
    assert request["name"] == "esp-9"
    peer.publish(
        "farm/_/enrol/barn/t-2/res",
        json.dumps({"nonce": request["nonce"], "error": "token: was used before"}).encode(),
    )
    assert node.process.wait(PATIENCE) == 3
    assert "refused: token: was used before" in node.log.read_text()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"brokers": []}, "brokers: must be a list"),
        ({"brokers": [["h", 0]]}, "brokers.port: must be a whole number from 1 to 65535"),
        ({"domain": "Barn"}, "domain: must match"),
        ({"interval_s": 0}, "interval_s: must be a number"),
        ({"colour": 1}, "colour: unknown setting; allowed: "),
        (
            {"sensors": {"laod": True}},
            "sensors.laod: unknown sensor; this node has: adc, ",
        ),
        ({"verify": None}, "verify: must be given, or a token instead"),
        ({"token": "fh1.x"}, "token: is damaged"),
    ],
)
def test_a_wrong_configuration_is_one_line_with_the_field(start: Start, change: dict[str, Any], problem: str) -> None:
    node = start({**credential_config(1883), **change})
    assert node.process.wait(PATIENCE) == 2
    assert problem in node.log.read_text()
    assert node.log.read_text().count("\n") == 1
