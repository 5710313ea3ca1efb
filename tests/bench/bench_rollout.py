"""mining.rollout: how long after a change is saved all of 50 sentries run what it says.

A whole farm on this machine: commander, broker, 50 sentries, each a process enrolled through a token, each with a
playbook whose (simulated) miner is installed already. The pool template that all playbooks use is changed; the time of
one sentry is from the begin of that request until its word is in the commander that the API of its *new* miner answers
and hashes. So stopping the old one counts as well, and all 50 sentries and their miners share this machine's cores.
"""

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import Request, urlopen

from commander.virtual_miners import PLATFORM
from sentry.enrol import Wish, enrol
from sentry.home import Home
from tests.bench.figures import SHORT, Benchmark, Figure
from tests.support.farms import HOUSE, HTTP
from tests.support.ports import free_ports
from tests.system.farm import Farm, wait_for
from tests.system.sentry_process import Sentry

SENTRIES = 8 if SHORT else 50
CHANGES = 2 if SHORT else 5
READY_S = 300.0
LOOK_S = 0.3
PROGRAM = Path(__file__).with_name("quick_miner.py")
ARGUMENTS = ["--http-port", "{{ api.port }}", "--url", "{{ pool.url }}", "--user", "{{ pool.user }}"]


def rollout() -> dict[str, float]:
    """One farm, some changes; the 99th percentile of all sentries of all changes, in s, and the median."""
    with TemporaryDirectory(prefix="farmhand-bench-") as folder:
        farm = Farm(Path(folder) / "farm", HOUSE + HTTP)
        try:
            farm.up()
            ports = _prepare(farm)
            took = [each for number in range(CHANGES) for each in _change(farm, ports, f"pool-{number}.invalid:3333")]
        finally:
            farm.end()
    return {"mining.rollout": quantiles(took, n=100)[98], "mining.rollout.median": median(took)}


def _prepare(farm: Farm) -> list[int]:
    """Sentries with a miner each; the ports of their APIs."""
    put = farm.api.put
    program = farm.state / "miner"
    program.write_text(f"#!{Path(sys.executable).resolve()} -IS\n{PROGRAM.read_text()}")
    program.chmod(0o755)
    about = {"title": "Simulated", "licence": "Apache-2.0", "platforms": [PLATFORM], "mines": ["cpu"], "homepage": ""}
    software = {**about, "adapter": "xmrig", "api_port": 44_000, "arguments": ARGUMENTS}
    release = {"path": str(program), "sha256": sha256(program.read_bytes()).hexdigest(), "archive": "none"}
    put("/mining/templates/coin/demo", {"data": {"algorithm": "rx/0"}})
    put("/mining/templates/address/mine", {"data": {"coin": "demo", "address": "4" + "x" * 94}})
    _set_pool(farm, "pool.invalid:3333")
    put("/mining/software/sim", {"data": software})
    put(f"/mining/software/sim/releases/1/{PLATFORM}", {"data": release})
    names = [f"rig-{number}" for number in range(SENTRIES)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: _enrol(farm, name), names))
    ports = free_ports(SENTRIES)
    for name, port in zip(names, ports, strict=True):
        data = {"software": "sim", "release": "1", "kind": "cpu", "mine": [{"pool": "pool", "address": "mine"}]}
        put(
            f"/mining/playbooks/{name}",
            {"data": {**data, "api": {"port": port, "token": "t"}, "targets": {"nodes": [name]}}},
        )
    try:
        wait_for("all of them hash", lambda: _hashing(farm) == SENTRIES, READY_S)
    except AssertionError as error:
        rows = farm.api.get("/mining/miners", limit=1000)["items"]
        idle = {row["node"]: row["state"] for row in rows if row["state"] != "online"}
        silent = sorted(set(names) - {row["node"] for row in rows})
        raise AssertionError(f"{error}; not online: {idle}; nothing told by {silent}") from None
    time.sleep(5)  # until what that took has settled
    return ports


def _set_pool(farm: Farm, url: str) -> None:
    farm.api.put("/mining/templates/pool/pool", {"data": {"coin": "demo", "urls": [{"url": f"stratum+tcp://{url}"}]}})


def _enrol(farm: Farm, name: str) -> None:
    token = farm.token("house", name=name)
    home = Home(farm.state / "sentry" / name)
    enrol(home, Wish(token["broker"], token["token"], "cpu-gpu", name, "farm"), 60)
    own = {"FARMHAND_MINER_ALLOW_ROOT": "yes"} if os.getuid() == 0 else {}
    environment = {**farm.environment, "FARMHAND_MINER_OUTLIVE": "no", **own}
    farm.sentries[name] = Sentry(home.path, "house", environment)
    farm.sentries[name].start()


def _hashing(farm: Farm) -> int:
    return farm.api.get("/mining/miners", state="online", limit=1)["total"]


def _change(farm: Farm, ports: list[int], url: str) -> list[float]:
    """Seconds until each sentry's word that its new miner answers and hashes is in the commander. Nobody else asks the
    miners meanwhile: that would take their time."""
    began = time.time()
    _set_pool(farm, url)
    rollout = farm.api.get("/mining/rollouts", limit=1)["items"][0]["id"]

    def nodes() -> list[dict[str, Any]]:
        time.sleep(LOOK_S)
        found = farm.api.get(f"/mining/rollouts/{rollout}")["nodes"]
        return found if len(found) == SENTRIES and all(each["state"] == "applied" for each in found) else []

    took = [each["updated"] / 1000 - began for each in wait_for("the rollout", nodes)]
    for port in ports:
        with urlopen(Request(f"http://127.0.0.1:{port}/2/summary", headers={"Authorization": "Bearer t"})) as answer:
            assert url in json.load(answer)["connection"]["pool"]
    print(f"  {url}: median {median(took):.2f} s, longest {max(took):.2f} s", file=sys.stderr)
    time.sleep(2)
    return took


def benchmarks() -> list[Benchmark]:
    figures = (
        Figure("mining.rollout", f"s, p99 of {SENTRIES} sentries", "lower", 2),
        Figure("mining.rollout.median", "s", "lower"),
    )
    return [Benchmark(figures, rollout, 3)]
