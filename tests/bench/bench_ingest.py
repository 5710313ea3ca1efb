"""ingest.*: telemetry from 100 publishers, QoS 1, into the database, held back only by the marks."""

from sqlalchemy import func, select

from commander.fleet.tables import stream, telemetry
from tests.bench import peers, rig
from tests.bench.figures import Benchmark, Figure, Unavailable, seconds
from tests.commander.postgres import Cluster
from tests.conftest import program

PUBLISHERS = 100


def ingest(name: str, database: str) -> dict[str, float]:
    """Sustained events/s from the first publish to the last mark; every row counted afterwards."""
    with rig.running(nodes=PUBLISHERS, database=database) as farm:
        rig.await_users(farm, "house")
        answer = rig.result(rig.load_process(farm, "house", PUBLISHERS, seconds(60), 0))
        count = (
            select(func.count())
            .select_from(telemetry.join(stream, telemetry.c.stream == stream.c.id))
            .where(stream.c.name == "load")
        )
        with farm.database().reading() as connection:
            rows = connection.execute(count).scalar_one()
    if rows != answer["sent"]:
        raise RuntimeError(f"{answer['sent']:.0f} events sent, {rows} rows stored")
    return {name: rows / answer["seconds"], f"{name}/peer": peers.paho_ceiling(PUBLISHERS, seconds(10))}


def on_postgres() -> dict[str, float]:
    """The same on a PostgreSQL of its own; a commit there waits for the disk as it does by default."""
    if program("initdb") is None:
        raise Unavailable("PostgreSQL is not on this machine (Debian package postgresql)")
    cluster = Cluster(options="")
    try:
        return ingest("ingest.postgres", cluster.start().url)
    finally:
        cluster.remove()


def benchmarks() -> list[Benchmark]:
    peer = "paho callback that does nothing"
    return [
        Benchmark(
            (Figure("ingest.sqlite", "events/s", "higher", 12_000, peer),), lambda: ingest("ingest.sqlite", "sqlite")
        ),
        Benchmark((Figure("ingest.postgres", "events/s", "higher", 12_000, peer),), on_postgres),
    ]
