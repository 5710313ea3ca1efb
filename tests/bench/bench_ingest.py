"""ingest.*: telemetry from 100 publishers, QoS 1, into the database, held back only by the marks."""

import tempfile
import threading
from collections.abc import Callable

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import func, select

from commander.fleet.tables import telemetry
from tests.bench import rig
from tests.bench.figures import Benchmark, Figure

SECONDS = 60.0
PUBLISHERS = 100


def ingest(name: str, database: str) -> dict[str, float]:
    """Sustained events/s from the first publish to the last mark; every row counted afterwards."""
    with rig.running(nodes=PUBLISHERS, database=database) as farm:
        rig.await_users(farm, "house")
        answer = rig.result(rig.load_process(farm, "house", PUBLISHERS, SECONDS, 0))
        with farm.database().reading() as connection:
            rows = connection.execute(
                select(func.count()).select_from(telemetry).where(telemetry.c.seq.is_not(None))
            ).scalar_one()
            distinct = connection.execute(
                select(func.count()).select_from(select(telemetry.c.stream, telemetry.c.seq).distinct().subquery())
            ).scalar_one()
        sent = int(answer["sent"])
        if not rows >= sent or rows - sent > 10_000 or distinct < sent:
            raise RuntimeError(f"{sent} events sent, {rows} rows stored, {distinct} of them different")
    return {name: sent / answer["seconds"], f"{name}/peer": ceiling()}


def ceiling() -> float:
    """Messages/s that a paho callback takes in which does nothing, at the same publishers: 10 s."""
    with rig.running(nodes=PUBLISHERS) as farm:
        rig.await_users(farm, "house")
        farm.processes["commander"].terminate()
        farm.processes["commander"].wait(20)
        count = 0
        ready = threading.Event()
        user = farm.database  # noqa: F841
        place = farm.farm.domains["house"]
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id="ceiling")
        import json

        secret = json.loads((farm.state / "commander" / "secrets.json").read_text())["commander"]
        client.username_pw_set(secret["user"], secret["password"])

        def on_message(_client: object, _data: object, _message: object) -> None:
            nonlocal count
            count += 1

        client.on_connect = lambda c, *_: c.subscribe("farm/house/+/+/tele/+", 1)
        client.on_subscribe = lambda *_: ready.set()
        client.on_message = on_message
        client.connect(place.host, place.port)
        client.loop_start()
        ready.wait(10)
        process = rig.load_process(farm, "house", PUBLISHERS, 10, 0, window=2_000)
        import time

        started = time.monotonic()
        before = 0
        while time.monotonic() - started < 20 and (count == 0 or count != before):
            before = count
            time.sleep(0.5)
        seconds = time.monotonic() - started - 0.5
        process.kill()
        process.wait()
        client.loop_stop()
        return count / seconds


def postgres() -> dict[str, float]:
    from tests.postgres import cluster

    with tempfile.TemporaryDirectory(prefix="farmhand-pg-") as folder, cluster(folder) as url:
        return ingest("ingest.postgres", url)


def benchmarks() -> list[Benchmark]:
    peer = "paho callback that does nothing"
    figures: list[tuple[str, Callable[[], dict[str, float]]]] = [
        ("ingest.sqlite", lambda: ingest("ingest.sqlite", "sqlite")),
        ("ingest.postgres", postgres),
    ]
    return [Benchmark((Figure(name, "events/s", "higher", 12_000, peer),), run) for name, run in figures]
