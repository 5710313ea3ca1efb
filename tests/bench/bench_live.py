"""latency.*, http.nodes_100, memory.commander_5000, start.farm: a farm at 500 events/s, as its users feel it."""

import json
import os
import shutil
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

from tests.bench import rig
from tests.bench.figures import Benchmark, Figure
from tests.bench.load import Publisher

RATE = 500
PROBES = 300


def latency(where: str, name: str) -> dict[str, float]:
    """ms from publish to the node's value in the API (asked again and again), while RATE events/s flow."""
    domains = 1 if where == "house" else 2
    with rig.running(domains, nodes=101, where=where) as farm:
        rig.await_users(farm, where)
        load = rig.load_process(farm, where, 100, 20, RATE)
        place = farm.farm.domains[where]
        probe = Publisher(place.host, place.port, "farm", where, 100, 200)
        times: list[float] = []
        with httpx.Client(base_url=farm.api.url, headers={"Authorization": f"Bearer {farm.api.key}"}) as http:
            time.sleep(3)
            while len(times) < PROBES:
                probe.fill(1, int(time.time() * 1000))
                began = time.perf_counter()
                probe.write()
                ends = began + 10
                while _count(http) < probe.seq:
                    if time.perf_counter() > ends:
                        raise TimeoutError(f"probe {probe.seq} was not visible within 10 s")
                times.append((time.perf_counter() - began) * 1000)
                time.sleep(0.03)
        rig.result(load)
    cuts = quantiles(times, n=100)
    return {f"{name}.p50": cuts[49], f"{name}.p99": cuts[98]}


def _count(http: httpx.Client) -> int:
    latest = http.get("/api/v1/nodes/load-100").json()["latest"]
    return int(latest.get("self", {}).get("load", {}).get("count", 0))


def nodes_100() -> dict[str, float]:
    """Requests/s for the list of 100 nodes with latest values (wrk, 32 connections, 10 s), at RATE events/s; the age
    of values checked.
    """
    wrk = shutil.which("wrk")
    if wrk is None:
        raise RuntimeError("wrk is not installed (Debian package wrk)")
    with rig.running(nodes=100) as farm:
        rig.await_users(farm, "house")
        load = rig.load_process(farm, "house", 100, 16, RATE)
        time.sleep(3)
        oldest = [0.0]
        over = threading.Event()
        watcher = threading.Thread(target=_watch_age, args=(farm, oldest, over))
        watcher.start()
        command = [
            wrk,
            "-t1",
            "-c32",
            "-d10s",
            "-H",
            f"Authorization: Bearer {farm.api.key}",
            f"{farm.api.url}/api/v1/nodes?limit=100",
        ]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        over.set()
        watcher.join()
        rig.result(load)
    if "Non-2xx" in out:
        raise RuntimeError(out)
    if oldest[0] > 1:
        raise RuntimeError(f"an answer held a value {oldest[0]:.2f} s behind")
    return {"http.nodes_100": float(out.split("Requests/sec:")[1].split()[0]), "http.nodes_100.age": oldest[0]}


def _watch_age(farm: rig.Rig, oldest: list[float], over: threading.Event) -> None:
    # Each node sends five values a second: the newest of each may be 0.2 s old by itself, which is taken off.
    with httpx.Client(base_url=farm.api.url, headers={"Authorization": f"Bearer {farm.api.key}"}) as http:
        while not over.wait(0.1):
            items = http.get("/api/v1/nodes?limit=100").json()["items"]
            now = time.time() * 1000
            newest = [node["latest"]["self"]["load"]["ts"] for node in items if node["id"].startswith("load-")]
            oldest[0] = max(oldest[0], (now - min(newest)) / 1000 - 100 / RATE)


def memory() -> dict[str, float]:
    """Resident MB of a commander that knows 5,000 nodes, each with a birth, presence and two parts of telemetry."""
    with rig.running(nodes=5_000) as farm:
        rig.await_users(farm, "house")
        place = farm.farm.domains["house"]
        for first in range(0, 5_000, 500):
            publishers = [Publisher(place.host, place.port, "farm", "house", n, 200) for n in range(first, first + 500)]
            for p in publishers:
                p.socket.setblocking(True)
                p.fill(2, int(time.time() * 1000))
                p.socket.sendall(p.pending)
                p.socket.sendall(b"\xe0\x00")
                p.socket.close()
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            if len(farm.api.get("/devices", limit=1, offset=4_999)["items"]):
                break
            time.sleep(0.5)
        else:
            raise TimeoutError("not all nodes are known")
        resident = psutil.Process(farm.processes["commander"].pid).memory_info().rss
    return {"memory.commander_5000": resident / 1e6}


def start() -> dict[str, float]:
    """Seconds from `farmhand up` to "farm ready", all nodes enrolled from nothing."""
    with tempfile.TemporaryDirectory(prefix="farmhand-bench-") as folder:
        began = time.monotonic()
        command = [
            sys.executable,
            "-m",
            "farmhand",
            "up",
            "--state",
            str(Path(folder) / "farm"),
            "--ports",
            "auto",
            "--json",
        ]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            seconds = time.monotonic() - began
            json.loads(line)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
    return {"start.farm": seconds}


def benchmarks() -> list[Benchmark]:
    one, bridge = "latency.one_domain", "latency.bridge"
    return [
        Benchmark(
            (Figure(f"{one}.p50", "ms", "lower"), Figure(f"{one}.p99", "ms", "lower", 100)),
            lambda: latency("house", one),
        ),
        Benchmark(
            (Figure(f"{bridge}.p50", "ms", "lower"), Figure(f"{bridge}.p99", "ms", "lower", 250)),
            lambda: latency("barn", bridge),
        ),
        Benchmark(
            (Figure("http.nodes_100", "requests/s", "higher", 3_000), Figure("http.nodes_100.age", "s", "lower", 1)),
            nodes_100,
        ),
        Benchmark((Figure("memory.commander_5000", "MB", "lower", 300),), memory),
        Benchmark((Figure("start.farm", "s", "lower", 15),), start),
    ]
