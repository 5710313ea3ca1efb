"""latency.*, http.nodes_100, memory.commander_5000, start.farm: a farm at 500 events/s, as its users feel it."""

import json
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import quantiles

import httpx
import psutil

from tests.bench import peers, rig
from tests.bench.figures import Benchmark, Figure, Unavailable, seconds
from tests.bench.load import Publisher
from tests.conftest import program
from tests.support.ports import free_ports

RATE = 500
PROBES = 300
COUNT = re.compile(rb'"count":(\d+)')


def latency(where: str, name: str) -> dict[str, float]:
    """ms from publish to the node's value in the API (asked again and again), while RATE events/s flow.

    The peer takes the same publishes from the home broker in a paho callback.
    """
    domains = 1 if where == "house" else 2
    count = int(seconds(PROBES))
    with rig.running(domains, nodes=101, where=where) as farm:
        rig.await_users(farm, where)
        load = rig.load_process(farm, where, 100, 4 + count * 0.08, RATE)
        place = farm.farm.domains[where]
        probe = Publisher(place.host, place.port, "farm", where, 100, 200)
        arrived: dict[int, float] = {}

        def at_peer(payload: bytes) -> None:
            now, found = time.perf_counter(), COUNT.search(payload)
            if found:
                arrived[int(found[1])] = now

        began: dict[int, float] = {}
        times: list[float] = []
        headers = {"Authorization": f"Bearer {farm.api.key}"}
        with (
            httpx.Client(base_url=farm.api.url, headers=headers) as http,
            peers.paho_sink(farm, f"{farm.farm.root}/{where}/{probe.name}/+/tele/+", at_peer),
        ):
            time.sleep(3)
            while len(times) < count:
                probe.fill(1, int(time.time() * 1000))
                began[probe.seq] = time.perf_counter()
                probe.write()
                ends = began[probe.seq] + 10
                while _count(http, probe.name) < probe.seq:
                    if time.perf_counter() > ends:
                        raise TimeoutError(f"probe {probe.seq} was not visible within 10 s")
                times.append((time.perf_counter() - began[probe.seq]) * 1000)
                time.sleep(0.03)
        rig.result(load)
    own = quantiles(times, n=100)
    peer = quantiles(((at - began[seq]) * 1000 for seq, at in arrived.items()), n=100)
    return {
        f"{name}.p50": own[49],
        f"{name}.p50/peer": peer[49],
        f"{name}.p99": own[98],
        f"{name}.p99/peer": peer[98],
    }


def _count(http: httpx.Client, node: str) -> int:
    latest = http.get(f"/api/v1/nodes/{node}").json()["latest"]
    return int(latest.get("self", {}).get("load", {}).get("count", 0))


def nodes_100() -> dict[str, float]:
    """Requests/s for the list of 100 nodes with latest values (32 connections, 10 s) at RATE events/s, and how far
    behind the oldest value in any answer was, as a watcher beside saw it.

    The peer answers the same bytes from memory in FastAPI, at the same events/s.
    """
    wrk = program("wrk")
    if wrk is None:
        raise Unavailable("wrk is not on this machine (Debian package wrk)")
    length = seconds(10)
    with rig.running(nodes=100) as farm, tempfile.TemporaryDirectory(prefix="farmhand-bench-") as folder:
        rig.await_users(farm, "house")
        load = rig.load_process(farm, "house", 100, 2 * length + 8, RATE)
        time.sleep(3)
        url = f"{farm.api.url}/api/v1/nodes?limit=100"
        headers = {"Authorization": f"Bearer {farm.api.key}"}
        behind: list[float] = []
        over = threading.Event()
        watcher = threading.Thread(target=_watch, args=(url, headers, behind, over))
        watcher.start()
        own = _requests(wrk, url, length, farm.api.key)
        over.set()
        watcher.join()
        with peers.http_of(httpx.get(url, headers=headers).content, Path(folder), free_ports(1)[0]) as peer_url:
            peer = _requests(wrk, peer_url, length)
        rig.result(load)
    return {"http.nodes_100": own, "http.nodes_100/peer": peer, "http.nodes_100.age": max(behind)}


def _requests(wrk: Path, url: str, length: float, key: str = "") -> float:
    login = ["-H", f"Authorization: Bearer {key}"] if key else []
    words = [str(wrk), "-t1", "-c32", f"-d{length:.0f}s", *login, url]
    out = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out:
        raise RuntimeError(out)
    return float(out.split("Requests/sec:")[1].split()[0])


def _watch(url: str, headers: dict[str, str], behind: list[float], over: threading.Event) -> None:
    # Each node sends five values a second: the newest of each may be 0.2 s old by itself, which is taken off.
    with httpx.Client(headers=headers) as http:
        while not over.wait(0.1):
            items = http.get(url).json()["items"]
            now = time.time() * 1000
            newest = [node["latest"]["self"]["load"]["ts"] for node in items if node["id"].startswith("load-")]
            behind.append((now - min(newest)) / 1000 - 100 / RATE)


def memory() -> dict[str, float]:
    """Resident MB of a commander that knows 5,000 nodes, each with a birth, presence and telemetry; the peer is the
    same commander without nodes.
    """
    with rig.running(nodes=0) as farm:
        empty = _resident(farm)
    nodes = int(seconds(5_000))
    with rig.running(nodes=nodes) as farm:
        rig.await_users(farm, "house")
        place = farm.farm.domains["house"]
        for first in range(0, nodes, 500):
            publishers = [Publisher(place.host, place.port, "farm", "house", n, 200) for n in range(first, first + 500)]
            for p in publishers:
                p.socket.setblocking(True)
                p.fill(2, int(time.time() * 1000))
                p.socket.sendall(p.pending)
                p.socket.sendall(b"\xe0\x00")
                p.socket.close()
        ends = time.monotonic() + 60
        while not farm.api.get("/devices", limit=1, offset=nodes - 1)["items"]:
            if time.monotonic() > ends:
                raise TimeoutError("not all nodes are known")
            time.sleep(0.5)
        return {"memory.commander_5000": _resident(farm), "memory.commander_5000/peer": empty}


def _resident(farm: rig.Rig) -> float:
    return psutil.Process(farm.processes["commander"].pid).memory_info().rss / 1e6


def start() -> dict[str, float]:
    """Seconds from `farmhand up` to "farm ready", all nodes enrolled from nothing; the peer is the second start of the
    same farm.
    """
    with tempfile.TemporaryDirectory(prefix="farmhand-bench-") as folder:
        state = Path(folder) / "farm"
        return {"start.farm": _start(state), "start.farm/peer": _start(state)}


def _start(state: Path) -> float:
    began = time.monotonic()
    words = [sys.executable, "-m", "farmhand", "up", "--state", str(state), "--ports", "auto", "--json"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        json.loads(process.stdout.readline())
        return time.monotonic() - began
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def benchmarks() -> list[Benchmark]:
    one, bridge, http = "latency.one_domain", "latency.bridge", "http.nodes_100"
    sink, bare, empty, again = "paho callback", "FastAPI, ready bytes", "without nodes", "second start"
    return [
        Benchmark(
            (Figure(f"{one}.p50", "ms", "lower", None, sink), Figure(f"{one}.p99", "ms", "lower", 100, sink)),
            lambda: latency("house", one),
        ),
        Benchmark(
            (Figure(f"{bridge}.p50", "ms", "lower", None, sink), Figure(f"{bridge}.p99", "ms", "lower", 250, sink)),
            lambda: latency("barn", bridge),
        ),
        Benchmark(
            (Figure(http, "requests/s", "higher", 3_000, bare), Figure(f"{http}.age", "s", "lower", 1)),
            nodes_100,
        ),
        Benchmark((Figure("memory.commander_5000", "MB", "lower", 300, empty),), memory),
        Benchmark((Figure("start.farm", "s", "lower", 15, again),), start),
    ]
