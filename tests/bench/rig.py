"""A farm for benchmarks: the generated brokers and the commander, each in its own process, with nodes already
enrolled.
"""

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from broker.bootstrap import bootstrap
from broker.domains import Farm, load
from broker.passwords import hashed
from commander.api import Api
from commander.db_edge import Database
from commander.effects import Moment, Put, Row
from commander.fleet.enrolment import credentials, new_node
from commander.service import database_url
from commander.settings import Settings
from tests.bench.load import PASSWORD
from tests.support.ports import free_ports


@dataclass
class Rig:
    """A running farm. processes: name -> process."""

    state: Path
    farm: Farm
    api: Api
    processes: dict[str, subprocess.Popen[bytes]]

    def end(self, name: str) -> None:
        """Stop one process and wait for its end."""
        self.processes[name].send_signal(signal.SIGTERM)
        self.processes[name].wait(20)

    def database(self) -> Database:
        """A connection of the benchmark's own."""
        return Database(database_url(Settings(state=self.state), self.farm))


def farm_toml(domains: int, database: str) -> str:
    """A chain of domains; the first is home."""
    ports = free_ports(domains + 1)
    names = ["house", "barn", "field"][:domains]
    text = 'root = "farm"\n'
    for name, port in zip(names, ports, strict=False):
        home = "home = true\n" if name == "house" else ""
        text += f'[domains.{name}]\n{home}host = "127.0.0.1"\nport = {port}\n'
    for near, far in pairwise(names):
        text += f'[[links]]\na = "{far}"\nb = "{near}"\n'
    return text + f'[commander]\nhttp = "127.0.0.1:{ports[-1]}"\ndatabase = "{database}"\n'


def node_row(node_id: str, domain: str, password_hash: str) -> Row:
    """An enrolled node."""
    return new_node(node_id, domain, "worker", 1) | {"password_hash": password_hash}


@contextmanager
def running(domains: int = 1, nodes: int = 100, where: str = "house", database: str = "sqlite") -> Iterator[Rig]:
    """A farm with `nodes` nodes load-0... in the domain `where`, whose password is load.PASSWORD."""
    with tempfile.TemporaryDirectory(prefix="farmhand-bench-") as folder:
        state = Path(folder)
        (state / "farm.toml").write_text(farm_toml(domains, database))
        farm = load((state / "farm.toml").read_text(), "farm.toml")
        bootstrap(farm, state)
        _enrol(state, farm, nodes, where)
        processes: dict[str, subprocess.Popen[bytes]] = {}
        try:
            for name in farm.domains:
                processes[f"broker-{name}"] = start(state, "broker", "up", "--domain", name)
            processes["commander"] = start(state, "commander", "run")
            api = await_ready(state)
            yield Rig(state, farm, api, processes)
        finally:
            for process in reversed(processes.values()):
                process.send_signal(signal.SIGTERM)
            for process in processes.values():
                process.wait(20)


def start(state: Path, *words: str) -> subprocess.Popen[bytes]:
    """A farmhand process of this farm, its output in <state>/bench.log."""
    with (state / "bench.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "farmhand", *words, "--state", str(state)], stdout=log, stderr=log
        )


def await_ready(state: Path) -> Api:
    """The API once the commander and its broker sessions are up."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        try:
            api = Api(state)
            if not api.ready():
                return api
        except Exception:
            pass
        time.sleep(0.1)
    raise TimeoutError((state / "bench.log").read_text()[-2000:])


def load_process(
    rig: Rig, domain: str, publishers: int, seconds: float, rate: float, window: int = 600, size: int = 200
) -> subprocess.Popen[str]:
    """The load generator as a process; retries until the broker knows its users."""
    place = rig.farm.domains[domain]
    arguments = (place.host, place.port, rig.farm.root, domain, publishers, seconds, rate, window, size)
    return subprocess.Popen(
        [sys.executable, "-m", "tests.bench.load", *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )


def result(process: subprocess.Popen[str]) -> dict[str, float]:
    """What the generator printed; raises when it failed or a mark is missing."""
    out, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"load generator ended with {process.returncode}")
    answer = json.loads(out)
    if answer["marked"] != answer["sent"]:
        raise RuntimeError(f"{answer['sent'] - answer['marked']:.0f} events were not stored in time")
    return answer


def await_users(rig: Rig, domain: str) -> None:
    """Until the steward has applied the credentials of the nodes."""
    ends = time.monotonic() + 60
    steward = f"/nodes/steward-{domain}"
    while time.monotonic() < ends:
        wanted = {row["doc"]: row["rev"] for row in rig.api.get(f"{steward}/desired")["items"]}
        done = {
            row["doc"]: row["rev"] for row in rig.api.get(f"{steward}/reported")["items"] if row["status"] == "applied"
        }
        if wanted and wanted == done:
            return
        time.sleep(0.1)
    raise TimeoutError("the steward has not applied the credentials")


def _enrol(state: Path, farm: Farm, nodes: int, where: str) -> None:
    database = Database(database_url(Settings(state=state), farm))
    database.migrate()
    one_hash = hashed(PASSWORD)
    rows = {f"load-{n}": node_row(f"load-{n}", where, one_hash) for n in range(nodes)}
    steward = {**node_row(f"steward-{where}", where, ""), "kind": "steward", "role": "steward"}
    projection = database.load()
    for row in (*rows.values(), steward):
        projection.apply(Put("node", row["id"], row))
    effects = credentials(projection, where, Moment(1, bytes), {}, dict(rows))
    puts = [Put("node", row["id"], row) for row in (*rows.values(), steward)] + [
        e for e in effects if isinstance(e, Put)
    ]
    database.commit({(p.table, p.key): p for p in puts}, [])
    database.close()
