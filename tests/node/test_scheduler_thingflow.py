"""A ThingFlow user's script, on both interpreters, against a real Mosquitto that is stopped in between."""

import csv
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest

from tests.conftest import ROOT, program
from tests.node.rig import Broker
from tests.support.waiting import PATIENCE, wait_until

EXAMPLE = ROOT / "examples" / "node" / "thingflow.py"
COUNTER = """
import sys
from esp_node.thingflow import Scheduler
from esp_node.writers import MQTTWriter

class Counter:
    sensor_id = "counter"
    number = 0

    def sample(self):
        self.number += 1
        if self.number > 150:
            raise StopIteration
        return self.number

writer = MQTTWriter("counter", "127.0.0.1", int(sys.argv[1]), "count", qos=int(sys.argv[2]), most=200)
writer.link.backoff_most_ms = 500
scheduler = Scheduler()
scheduler.schedule_sensor(Counter(), 0.02, writer)
scheduler.run_forever()
print("dropped", writer.dropped)
"""


class Subscriber:
    """Hears one topic at QoS 1, in a session that the broker keeps."""

    def __init__(self, port: int, topic: str):
        self.heard: list[list[object]] = []
        ready = threading.Event()
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, "subscriber", clean_session=False)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = lambda client, *_: client.subscribe(topic, 1)
        self.client.on_subscribe = lambda *_: ready.set()
        self.client.on_message = lambda _client, _data, message: self.heard.append(json.loads(message.payload))
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert ready.wait(PATIENCE)

    def stop(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(tmp_path, "allow_anonymous true", "persistence true", f"persistence_location {tmp_path}/")
    yield broker
    broker.stop()


def start(interpreter: str, script: Path, shipped_main: Path, *arguments: str) -> subprocess.Popen[str]:
    micropython = [str(program("micropython")), "-X", "heapsize=64k"]
    argv = [sys.executable] if interpreter == "cpython" else micropython
    env = {**os.environ, "PYTHONPATH": str(ROOT), "MICROPYPATH": str(shipped_main.parent)}
    return subprocess.Popen(
        [*argv, str(script), *arguments], env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


@pytest.mark.broker
@pytest.mark.micropython
@pytest.mark.parametrize("interpreter", ["cpython", "micropython"])
def test_the_example_prints_writes_and_publishes(
    interpreter: str, broker: Broker, shipped_main: Path, tmp_path: Path
) -> None:
    subscriber = Subscriber(broker.port, "bright")
    output, _ = start(
        interpreter, EXAMPLE, shipped_main, "127.0.0.1", str(broker.port), str(tmp_path / "lamp.csv")
    ).communicate(timeout=60)
    lines = output.splitlines()
    assert "Error: the lamp's sensor did not answer" in lines, output
    assert lines[-2:] == ["Completed", "dim: 9"], output
    assert sum(line.startswith("('lamp', ") for line in lines) == 10, output
    wait_until("ten events", lambda: len(subscriber.heard) == 10)
    subscriber.stop()
    assert [value for _, _, value in subscriber.heard] == list(range(110, 201, 10))
    with (tmp_path / "lamp.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["value"]) for row in rows] == [10 * n for n in range(1, 21) if n != 5]
    assert {row["sensor_id"] for row in rows} == {"lamp"}


@pytest.mark.broker
@pytest.mark.micropython
@pytest.mark.parametrize("interpreter", ["cpython", "micropython"])
def test_an_mqtt_writer_loses_nothing_when_the_broker_restarts(
    interpreter: str, broker: Broker, shipped_main: Path, tmp_path: Path
) -> None:
    script = tmp_path / "counter.py"
    script.write_text(COUNTER)
    subscriber = Subscriber(broker.port, "count")
    process = start(interpreter, script, shipped_main, str(broker.port), "1")
    wait_until("some events", lambda: len(subscriber.heard) > 20)
    broker.stop()
    broker.start()
    output, _ = process.communicate(timeout=60)
    assert output.splitlines()[-1] == "dropped 0", output
    wait_until("all numbers", lambda: {number for _, _, number in subscriber.heard} == set(range(1, 151)))
    subscriber.stop()


@pytest.mark.broker
@pytest.mark.micropython
@pytest.mark.parametrize("interpreter", ["cpython", "micropython"])
def test_an_mqtt_writer_at_qos_0(interpreter: str, broker: Broker, shipped_main: Path, tmp_path: Path) -> None:
    script = tmp_path / "counter.py"
    script.write_text(COUNTER)
    subscriber = Subscriber(broker.port, "count")
    start(interpreter, script, shipped_main, str(broker.port), "0").communicate(timeout=60)
    wait_until("all numbers", lambda: [number for _, _, number in subscriber.heard] == list(range(1, 151)))
    subscriber.stop()
