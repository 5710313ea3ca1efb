"""A whole farm on one machine: brokers, commander, a sentry, a MicroPython node, each a process of its own.

Nothing here is a shortcut: sentry and node are enrolled through real tokens, and every process is started as on a
host of its own. State lies below the state folder, so a second `up` resumes the same farm.
"""

import errno
import fcntl
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from rich.console import Console

from broker.bootstrap import bootstrap
from broker.domains import Farm, load
from broker.supervise import find_mosquitto
from commander import virtual_rig
from commander.api import Api, ApiError
from commander.family import Family
from commander.virtual_node import NoNode, add_node

READY_S = 60.0
SENTRY, ESP = "host", "esp-1"
MASTERS = {"node": ESP, "sentry": SENTRY}

FARM_TOML = """\
# Two domains, each with a broker of its own, bridged. Read docs/farm.md for all that may stand here.
root = "farm"

[domains.house]
home = true
host = "127.0.0.1"
port = {house}

[domains.barn]
host = "127.0.0.1"
port = {barn}

[[links]]
a = "barn"
b = "house"

[commander]
http = "127.0.0.1:{http}"
database = "sqlite"
"""


class CannotStart(RuntimeError):
    """A farm cannot start here; says what is in the way."""

    def __init__(self, problem: str) -> None:
        self.user_message = problem
        super().__init__(problem)


def run(state: Path, ports: str, rig: int, rig_master: str, as_json: bool) -> None:
    """Start the farm of `state` (made when new) and keep it running until SIGINT or SIGTERM."""
    state = state.absolute()
    if ports not in ("fixed", "auto"):
        raise CannotStart(f"--ports: must be fixed or auto, not {ports}")
    if rig_master not in MASTERS:
        raise CannotStart(f"--rig-master: must be {' or '.join(MASTERS)}, not {rig_master}")
    console = Console(stderr=True, quiet=as_json)
    try:
        lock = _lock(state)
        farm = _farm(state, ports)
    except OSError as error:
        raise CannotStart(f"{error.filename}: {error.strerror}") from None
    if rig:
        virtual_rig.check()
    find_mosquitto()
    _check_ports(farm)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    family = Family(state / "run", lambda text: console.print(f"[yellow]{text}[/]"))
    started = time.monotonic()
    try:
        with console.status("starting") as status:
            api = _start(farm, state, rig, rig_master, family, lambda text: status.update(f"{text} ..."), console)
        seconds = time.monotonic() - started
        _announce(api, seconds, as_json, console)
        family.watch()
    except KeyboardInterrupt:
        with console.status("stopping"):
            family.stop()
        console.print("stopped; `farmhand up` resumes this farm")
    finally:
        family.stop()
        lock.close()


def _start(
    farm: Farm,
    state: Path,
    rig: int,
    rig_master: str,
    family: Family,
    say: Callable[[str], None],
    console: Console,
) -> Api:
    def done(text: str) -> None:
        console.print(f"[green]ok[/] {text}")

    say("secrets and broker configurations")
    bootstrap(farm, state)
    for name in farm.domains:
        say(f"broker of {name}")
        family.add(f"broker-{name}", [*_farmhand(), "broker", "up", "--domain", name, "--state", str(state)])
    family.wait("broker", lambda: all(_answers(d.host, d.port) for d in farm.domains.values()), READY_S)
    done("brokers " + ", ".join(f"{d.name} on {d.host}:{d.port}" for d in farm.domains.values()))
    say("commander")
    family.add("commander", [*_farmhand(), "commander", "run", "--state", str(state)])
    api = family.wait("commander", lambda: _api(state), READY_S)
    family.wait("commander", lambda: not _unready(api), READY_S)
    done(f"commander on http://{farm.commander.http}")
    rig_port, mining = _add_rig(farm, state, rig, rig_master, family, say) if rig else (None, {})
    say("sentry")
    _add_sentry(farm, state, family, api, mining)
    say("MicroPython node")
    try:
        add_node(ESP, farm, state, family, api, rig_port if rig_master == "node" else None)
        node = True
    except NoNode as why:
        console.print(f"[yellow]no MicroPython node: {why}[/]")
        node = False
    wanted = {SENTRY} | ({ESP} if node else set[str]()) | {f"steward-{name}" for name in farm.domains}
    say("first figures of " + ", ".join(sorted(wanted)))
    family.wait("nodes", lambda: wanted <= _ready_nodes(api), READY_S, lambda: _waited_for(api, wanted))
    done("nodes " + ", ".join(sorted(wanted)))
    if rig:
        virtual_rig.grant(api, SENTRY, MASTERS[rig_master])
        done(f"rig of {rig} slaves on {MASTERS[rig_master]}, mining for a pool of its own through {SENTRY}")
    return api


def _add_rig(
    farm: Farm, state: Path, slaves: int, master: str, family: Family, say: Callable[[str], None]
) -> tuple[int, dict[str, str]]:
    """Start the simulated slaves and a pool; returns the slaves' port, and what the sentry has to know of both."""
    rig_port, pool_port = _free_ports(2)
    say(f"{slaves} simulated AVRs")
    family.add("rig", virtual_rig.simulator(slaves, rig_port))
    family.wait("rig", lambda: _answers("127.0.0.1", rig_port), READY_S)
    say("pool")
    family.add("pool", [*_farmhand(), *virtual_rig.pool(pool_port, state / "run" / "pool.jsonl")])
    family.wait("pool", lambda: _answers("127.0.0.1", pool_port), READY_S)
    if master == "sentry":
        return rig_port, virtual_rig.gateway(farm.home, SENTRY, pool_port) | virtual_rig.bus(rig_port)
    domain = next((d for d in farm.domains.values() if not d.home), farm.domains[farm.home])
    return rig_port, virtual_rig.gateway(domain.name, ESP, pool_port)


def _add_sentry(farm: Farm, state: Path, family: Family, api: Api, environment: dict[str, str]) -> None:
    folder = state / "sentry" / SENTRY
    if not (folder / "credential.json").exists():
        answer = api.post("/tokens", {"domain": farm.home, "kind": "cpu-gpu", "name": SENTRY, "ttl_s": 600})
        command = [
            *_farmhand(),
            "sentry",
            "enrol",
            answer["broker"],
            answer["token"],
            "--name",
            SENTRY,
            "--root",
            farm.root,
        ]
        _do([*command, "--state", str(folder)])
    family.add("sentry", [*_farmhand(), "sentry", "run", "--state", str(folder)], environment)


def _announce(api: Api, seconds: float, as_json: bool, console: Console) -> None:
    link = f"{api.url}/?key={api.key}"
    if as_json:
        print(json.dumps({"url": api.url, "key": api.key, "ready_s": round(seconds, 2)}), flush=True)
        return
    console.print(f"\n[bold]farm ready[/] in {seconds:.1f} s: [link={link}]{link}[/link]")
    console.print("in another terminal: farmhand status, farmhand watch; Ctrl-C here stops the farm\n", soft_wrap=True)


def _farmhand() -> list[str]:
    return [sys.executable, "-m", "farmhand"]


def _lock(state: Path) -> IO[str]:
    (state / "run").mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = (state / "run" / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CannotStart(f"{state}: this farm is already up") from None
    return lock


def _farm(state: Path, ports: str) -> Farm:
    path = state / "farm.toml"
    if not path.exists():
        free = _free_ports(3) if ports == "auto" else [18830, 18831, 8080]
        path.write_text(FARM_TOML.format(house=free[0], barn=free[1], http=free[2]))
    return load(path.read_text(), str(path))


def _free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    for each in held:
        each.bind(("127.0.0.1", 0))
    found = [int(each.getsockname()[1]) for each in held]
    for each in held:
        each.close()
    return found


def _check_ports(farm: Farm) -> None:
    """Say before anything starts who will not be able to listen."""
    places = {f"domains.{d.name}.port": (d.host if d.loopback else "", d.port) for d in farm.domains.values()}
    host, _, port = farm.commander.http.rpartition(":")
    places["commander.http"] = (host.strip("[]"), int(port))
    for field, place in places.items():
        family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
        try:
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Mosquitto and uvicorn do
                probe.bind(place)
        except OSError as error:
            why = (
                "is in use by another program; end it"
                if error.errno == errno.EADDRINUSE
                else f"cannot be listened on: {error.strerror}"
            )
            raise CannotStart(f"{field}: {place[0]}:{place[1]} {why}, or change farm.toml") from None


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def _api(state: Path) -> Api | None:
    try:
        return Api(state)
    except ApiError:
        return None  # its key is made by the commander's first start


def _unready(api: Api) -> list[str]:
    try:
        return api.ready()
    except ApiError as error:
        return [str(error)]


def _ready_nodes(api: Api) -> set[str]:
    try:
        return {node["id"] for node in api.get("/nodes", presence="ready", limit=1000)["items"]}
    except ApiError:
        return set()


def _waited_for(api: Api, wanted: set[str]) -> str:
    try:
        shown = {node["id"]: node["presence"] for node in api.get("/nodes", limit=1000)["items"]}
        links = [
            f"link {link['name']} is down"
            for d in api.get("/domains")["items"]
            for link in d["links"]
            if not link["up"]
        ]
    except ApiError as error:
        return str(error)
    nodes = [f"{node} is {shown.get(node, 'unknown')}" for node in sorted(wanted) if shown.get(node) != "ready"]
    return ", ".join([*nodes, *links])


def _do(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotStart(f"{' '.join(command[1:5])} failed: {(done.stderr or done.stdout).strip()}")
