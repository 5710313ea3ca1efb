"""boards.*: a whole farm on this machine with four virtual boards, driven through the client library over HTTP.

busy, overhead: distinct bitstreams, each evaluated on whichever board is free; an evaluation takes 1 s of wall time,
and its true answer was computed before (else the simulations would want the two cores). Busy is the share of the
boards' time, from the call to the last result, in which evaluations ran; overhead what each took longer than its 1 s.
blob: a bitstream that the farm has never seen, from the client to a sentry in the other domain, over the bridge: from
the begin of the upload until the sentry has it and has answered the call. The next three boards get it without that.
reserve: 1,000 boards of four sentries (which say that all are ready), 100 users; 50 reservations a second arrive on a
schedule, each is ended 5 s later. A call's time is from its place in the schedule to its answer.
"""

import asyncio
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

import httpx
from farmhand_client import BoardClient, PulseCountClient

from commander import virtual_boards
from schema import fleet, topics, wire
from schema.message import Message
from sentry.enrol import Wish, enrol
from sentry.home import Home
from tests.bench.figures import SHORT, Benchmark, Figure, Unavailable, seconds
from tests.boards.circuits import NEEDED, answer_before, bitstream, divider, pulses
from tests.broker.farm import Client
from tests.conftest import LOCAL_PROGRAMS, program
from tests.support.farms import HOUSE, HOUSE_AND_BARN, HTTP
from tests.system.farm import Farm, wait_for
from tests.system.sentry_process import Sentry

BOARDS = 4
DIVIDERS = (5, 7, 9, 100, 1_000, 12_000)
BITSTREAMS = 24 if SHORT else 200
PART, PARTS = 5, 2 if SHORT else 10
BLOBS = 3 if SHORT else 10
COUNT_S = 1.0
MANY, HOSTS, USERS, RATE, HELD_S, RESERVING_S = 1_000, 4, 100, 50, 5.0, 30.0
MEMORY_TILE = (6, 1)  # which no divider uses


def evaluations() -> dict[str, float]:
    _need_tools()
    with TemporaryDirectory(prefix="farmhand-bench-") as name, _farm(Path(name)) as farm:
        made = _distinct(Path(name), BITSTREAMS)
        print(f"  simulating {len(made)} circuits", file=sys.stderr)
        answer_before(farm.state / "boards", [path.read_bytes() for path in made])
        client = PulseCountClient(farm.api.url, "bench", key=farm.api.key)
        client.reserve(BOARDS)
        wall = _evaluate(client, made)
        part = dict(list(made.items())[: PART * PARTS])
        at_once = _evaluate(client, part)
        paths = list(part)
        in_parts = sum(
            _evaluate(client, {path: part[path] for path in paths[n * PART : n * PART + PART]}) for n in range(PARTS)
        )
        client.end_all()
        client.close()
    alone = BITSTREAMS / BOARDS * COUNT_S
    return {
        "boards.busy": 100 * alone / wall,
        "boards.overhead_ms": 1000 * (wall - alone) / (BITSTREAMS / BOARDS),
        "boards.one_job_s": at_once,
        "boards.one_job_s/peer": in_parts,
    }


def blobs() -> dict[str, float]:
    _need_tools()
    with TemporaryDirectory(prefix="farmhand-bench-") as name, _farm(Path(name), "barn") as farm:
        client = BoardClient(farm.api.url, "bench", key=farm.api.key)
        serials = client.reserve(BOARDS, kind="pulsecount")
        first: list[float] = []
        others: list[float] = []
        for path in _distinct(Path(name), BLOBS):
            content = path.read_bytes()
            began = time.perf_counter()
            client.call("evaluate", {"batch": "b"}, {path.name: content}, serials[:1])
            first.append(time.perf_counter() - began)
            began = time.perf_counter()
            client.call("evaluate", {"batch": "b"}, {path.name: content}, serials[1:])
            others.append(time.perf_counter() - began)
        client.end_all()
        client.close()
    return {"boards.blob_s": median(first), "boards.blob_again_s": median(others)}


def reservations() -> dict[str, float]:
    with TemporaryDirectory(prefix="farmhand-bench-") as name:
        farm = Farm(Path(name) / "farm", HOUSE + HTTP)
        hosts: list[Client] = []
        try:
            farm.up()
            hosts = [_host(farm, f"host-{number}", MANY // HOSTS) for number in range(HOSTS)]
            wait_for("all boards", lambda: farm.api.get("/boards/available")["count"] == MANY)
            wishes = [{"name": f"user {n}", "role": "operator"} for n in range(USERS)]
            keys = [farm.api.post("/keys", wish)["key"] for wish in wishes]
            took = asyncio.run(_scheduled(farm.api.url, keys))
        finally:
            for host in hosts:
                host.close()
            farm.end()
    return {"boards.reserve_p99_ms": 1000 * quantiles(took, n=100)[98], "boards.reserve_p50_ms": 1000 * median(took)}


def _host(farm: Farm, name: str, count: int) -> Client:
    """A sentry as the broker and the commander see it."""
    token = farm.token("house", kind="board", name=name)
    home = Home(farm.state / "sentry" / name)
    enrol(home, Wish(token["broker"], token["token"], "board", name, "farm"), 60)
    client = Client(farm.file.domains["house"].port, name, home.credential().password).ready()

    def say(message: Message, data: bytes, part: str = "") -> None:
        client.publish(topics.build(message, "farm", "house", name, "self", part), data.decode(), True)

    boards = {f"{name}-{n}": {"state": "ready", "type": "pico2-ice", "tags": []} for n in range(count)}
    birth = {"schema": 1, "boot": "b", "kind": "board", "software": "bench", "alive_ms": 600_000, "parts": {}}
    report = {"boards": boards, "kinds": ["pulsecount"]}
    say(fleet.INFO, wire.dumps(birth))
    say(fleet.STATE, b"ready")
    say(fleet.REPORTED, wire.dumps({"rev": 0, "status": "applied", "data": report}), "leases")
    now = round(time.time() * 1000)
    plugged = {"ts": now, "stream": "s", "seq": 1, "event": "plugged", "contents": {}}
    client.publish(topics.build(fleet.EVT, "farm", "house", name, f"{name}-0", "board"), json.dumps(plugged))
    return client


async def _scheduled(url: str, keys: list[str]) -> list[float]:
    """Seconds of each call."""
    users = [httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30) for key in keys]
    took: list[float] = []

    async def reserve(user: httpx.AsyncClient, at: float) -> None:
        await asyncio.sleep(at - time.perf_counter())
        answer = await user.post("/api/v1/boards/leases", json={"kind": "pulsecount", "wait": False})
        took.append(time.perf_counter() - at)
        assert answer.status_code == 201, answer.text
        await asyncio.sleep(HELD_S)
        ended = await user.post(f"/api/v1/boards/leases/{answer.json()['id']}/end", json={})
        assert ended.status_code == 200, ended.text

    gc.collect()
    gc.freeze()  # not this program's pauses are measured
    began = time.perf_counter() + 1
    await asyncio.gather(
        *(reserve(users[n % USERS], began + n / RATE) for n in range(round(RATE * seconds(RESERVING_S))))
    )
    for user in users:
        await user.aclose()
    return took


def _need_tools() -> None:
    if missing := [name for name in NEEDED if not program(name)]:
        raise Unavailable(f"{', '.join(missing)} not on this machine")


@contextmanager
def _farm(folder: Path, domain: str = "house") -> Iterator[Farm]:
    """With the boards' sentry in this domain; the commander is in `house`."""
    farm = Farm(folder / "farm", HOUSE_AND_BARN + HTTP)
    simulator: subprocess.Popen[bytes] | None = None
    try:
        if domain == "house":
            farm.up("--boards", str(BOARDS))
        else:
            farm.up()
            bus = farm.state / "boards"
            simulator = subprocess.Popen(virtual_boards.simulator(bus, BOARDS), stdout=subprocess.DEVNULL)
            wait_for("the boards", lambda: virtual_boards.are_plugged(bus, BOARDS))
            _drive(farm, domain, bus)
        wait_for("boards that are ready", lambda: farm.api.get("/boards/available")["count"] == BOARDS)
        yield farm
    finally:
        if simulator:
            simulator.terminate()
            simulator.wait()
        farm.end()


def _drive(farm: Farm, domain: str, bus: Path) -> None:
    token = farm.token(domain, kind="board", name="far")
    home = Home(farm.state / "sentry" / "far")
    enrol(home, Wish(token["broker"], token["token"], "board", "far", "farm"), 60)
    farm.sentries["far"] = Sentry(home.path, domain, {**farm.environment, **virtual_boards.settings(bus)})
    farm.sentries["far"].start()


def _distinct(folder: Path, count: int) -> dict[Path, int]:
    """Bitstreams of which no two are the same, with their true counts: dividers, each with other data in a block of
    memory beside them."""
    os.environ["PATH"] = os.pathsep.join((str(LOCAL_PROGRAMS), os.environ["PATH"]))
    made: dict[Path, int] = {}
    texts = {by: _unpacked(folder, by) for by in DIVIDERS}
    for number in range(count):
        by = DIVIDERS[number % len(DIVIDERS)]
        asc, path = folder / "edited.asc", folder / f"{number}-by-{by}.bin"
        rows = "".join(f"{number * 16 + row:064x}\n" for row in range(16))
        asc.write_text(f"{texts[by]}\n.ram_data {MEMORY_TILE[0]} {MEMORY_TILE[1]}\n{rows}")
        subprocess.run(["icepack", asc, path], check=True)
        made[path] = pulses(by)
    return made


def _unpacked(folder: Path, by: int) -> str:
    (folder / "divider.bin").write_bytes(bitstream(divider(by)))
    subprocess.run(["iceunpack", folder / "divider.bin", folder / "divider.asc"], check=True)
    return (folder / "divider.asc").read_text()


def _evaluate(client: PulseCountClient, made: dict[Path, int]) -> float:
    """Seconds; every count is compared."""
    began = time.perf_counter()
    found = {path: value for _, path, value in client.evaluate_bitstreams(made, spread=True, progress=False)}
    took = time.perf_counter() - began
    wrong = {path.name: value for path, value in found.items() if value != made[path]}
    assert found.keys() == made.keys(), "results are missing"
    assert not wrong, f"counted wrongly: {wrong}"
    return took


def benchmarks() -> list[Benchmark]:
    return [
        Benchmark(
            (
                Figure("boards.busy", "%", "higher", 95),
                Figure("boards.overhead_ms", "ms", "lower", 20),
                Figure("boards.one_job_s", "s", "lower", peer=f"{PARTS} jobs of {PART}"),
            ),
            evaluations,
            runs=1,
        ),
        Benchmark(
            (
                Figure("boards.blob_s", "s", "lower", 0.5),
                Figure("boards.blob_again_s", "s", "lower"),
            ),
            blobs,
        ),
        Benchmark(
            (
                Figure("boards.reserve_p99_ms", "ms", "lower", 100),
                Figure("boards.reserve_p50_ms", "ms", "lower"),
            ),
            reservations,
        ),
    ]
