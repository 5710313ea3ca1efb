"""A whole farm on one machine: brokers, commander, a sentry, a MicroPython node, each a process of its own.

Nothing here is a shortcut: sentry and node are enrolled through real tokens, and every process is started as on a
host of its own. State lies below the state folder, so a second `up` resumes the same farm.
"""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from broker.bootstrap import bootstrap
from broker.domains import Farm
from broker.supervise import find_mosquitto
from commander import readiness, up_place, virtual_asics, virtual_boards, virtual_miners, virtual_node, virtual_rig
from commander.api import Api
from commander.family import Family
from commander.settings import load
from commander.up_place import CannotStart

READY_S = 60.0
SENTRY, ESP = "host", "esp-1"
MASTERS = {"node": ESP, "sentry": SENTRY}


@dataclass(frozen=True)
class Simulated:
    """What is simulated besides: AVRs on the I2C bus of ``rig_master``, miners of the sentry, ASICs and FPGA boards of
    others; ``board_model``: what is installed on the boards."""

    rig: int = 0
    rig_master: str = "node"
    miners: int = 0
    asics: int = 0
    boards: int = 0
    board_model: str = "uf2"


def run(state: Path, ports: str, simulated: Simulated, as_json: bool) -> None:
    """Start the farm of `state` (made when new) and keep it running until SIGINT or SIGTERM."""
    state = state.absolute()
    if ports not in ("fixed", "auto"):
        raise CannotStart(f"--ports: must be fixed or auto, not {ports}")
    if simulated.rig_master not in MASTERS:
        raise CannotStart(f"--rig-master: must be {' or '.join(MASTERS)}, not {simulated.rig_master}")
    if simulated.board_model not in virtual_boards.MODELS:
        raise CannotStart(f"--board-model: must be {' or '.join(virtual_boards.MODELS)}, not {simulated.board_model}")
    console = Console(stderr=True, quiet=as_json)
    try:
        lock = up_place.lock(state)
        farm = up_place.farm_of(state, ports)
    except OSError as error:
        raise CannotStart(f"{error.filename}: {error.strerror}") from None
    if simulated.rig:
        virtual_rig.check()
    find_mosquitto()
    up_place.check_ports(farm)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    family = Family(state / "run", lambda text: console.print(f"[yellow]{text}[/]"))
    started = time.monotonic()
    try:
        with console.status("starting") as status:
            api = _start(farm, state, simulated, family, lambda text: status.update(f"{text} ..."), console)
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
    simulated: Simulated,
    family: Family,
    say: Callable[[str], None],
    console: Console,
) -> Api:
    def done(text: str) -> None:
        console.print(f"[green]ok[/] {text}")

    icefarm = load(state=state).icefarm
    say("secrets and broker configurations")
    bootstrap(farm, state)
    beside = ThreadPoolExecutor(1)  # the node is compiled while the others start
    software = beside.submit(virtual_node.build, ESP, state)
    beside.shutdown(wait=False)
    for name in farm.domains:
        say(f"broker of {name}")
        family.add(f"broker-{name}", [*_farmhand(), "broker", "up", "--domain", name, "--state", str(state)])
    family.wait("broker", lambda: all(readiness.answers(d.host, d.port) for d in farm.domains.values()), READY_S)
    done("brokers " + ", ".join(f"{d.name} on {d.host}:{d.port}" for d in farm.domains.values()))
    say("commander")
    family.add("commander", [*_farmhand(), "commander", "run", "--state", str(state)])
    api = family.wait("commander", lambda: readiness.api(state), READY_S)
    family.wait("commander", lambda: not readiness.unready(api), READY_S)
    gateway = f", iCEFARM clients on http://{icefarm}" if icefarm else ""
    done(f"commander on http://{farm.commander.http}{gateway}")
    master = simulated.rig_master
    rig_port, mining = _add_rig(farm, state, simulated.rig, master, family, say) if simulated.rig else (None, {})
    say("sentry")
    _add_sentry(farm, state, family, api, SENTRY, "cpu-gpu", mining | virtual_miners.environment(simulated.miners))
    asic_port = _add_asics(farm, state, simulated.asics, family, api) if simulated.asics else 0
    if simulated.boards:
        say(f"{simulated.boards} virtual boards")
        _add_boards(farm, state, simulated, family, api)
    say("MicroPython node")
    try:
        built = software.result()
        virtual_node.add_node(ESP, built, farm, state, family, api, rig_port if master == "node" else None)
        node = True
    except virtual_node.NoNode as why:
        console.print(f"[yellow]no MicroPython node: {why}[/]")
        node = False
    wanted = {SENTRY, *([ESP] if node else []), *([virtual_asics.NODE] if asic_port else [])}
    wanted |= {virtual_boards.NODE} if simulated.boards else set()
    wanted |= {f"steward-{name}" for name in farm.domains}
    say("first figures of " + ", ".join(sorted(wanted)))
    family.wait(
        "nodes", lambda: wanted <= readiness.ready_nodes(api), READY_S, lambda: readiness.waited_for(api, wanted)
    )
    done("nodes " + ", ".join(sorted(wanted)))
    _define(state, simulated, asic_port, family, api, say, done)
    return api


def _define(
    state: Path,
    simulated: Simulated,
    asic_port: int,
    family: Family,
    api: Api,
    say: Callable[[str], None],
    done: Callable[[str], None],
) -> None:
    """What the simulated machines shall do, once all nodes are there."""
    if simulated.rig:
        virtual_rig.grant(api, SENTRY, MASTERS[simulated.rig_master])
        master = MASTERS[simulated.rig_master]
        done(f"rig of {simulated.rig} slaves on {master}, mining for a pool of its own through {SENTRY}")
    if simulated.miners:
        virtual_miners.define(api, state, SENTRY, simulated.miners)
        done(f"{simulated.miners} simulated miners on {SENTRY}: playbooks demo-1 ...")
    if asic_port:
        virtual_asics.define(api, simulated.asics, asic_port)
        done(f"{simulated.asics} simulated ASICs, watched by {virtual_asics.NODE}")
    if simulated.boards:
        say("boards flashed and tested")
        family.wait(virtual_boards.NODE, lambda: virtual_boards.are_ready(api, simulated.boards), READY_S)
        done(f"{simulated.boards} virtual boards, driven by {virtual_boards.NODE}")


def _add_boards(farm: Farm, state: Path, simulated: Simulated, family: Family, api: Api) -> None:
    """Start virtual boards and their sentry."""
    bus, count, model = state / "boards", simulated.boards, simulated.board_model
    family.add("virtual-boards", virtual_boards.simulator(bus, count, model))
    family.wait("virtual-boards", lambda: virtual_boards.are_plugged(bus, count), READY_S)
    _add_sentry(farm, state, family, api, virtual_boards.NODE, "board", virtual_boards.settings(bus, model))


def _add_asics(farm: Farm, state: Path, count: int, family: Family, api: Api) -> int:
    """Start simulated ASICs and their sentry; returns their port."""
    (port,) = up_place.free_ports(1)
    family.add("asic-simulator", [*_farmhand(), *virtual_asics.simulator(count, port)])
    family.wait("asic-simulator", lambda: readiness.answers(virtual_asics.FIRST, port), READY_S)
    _add_sentry(farm, state, family, api, virtual_asics.NODE, "asic", {})
    return port


def _add_rig(
    farm: Farm, state: Path, slaves: int, master: str, family: Family, say: Callable[[str], None]
) -> tuple[int, dict[str, str]]:
    """Start the simulated slaves and a pool; returns the slaves' port, and what the sentry has to know of both."""
    rig_port, pool_port = up_place.free_ports(2)
    say(f"{slaves} simulated AVRs")
    family.add("rig", virtual_rig.simulator(slaves, rig_port))
    family.wait("rig", lambda: readiness.answers("127.0.0.1", rig_port), READY_S)
    say("pool")
    family.add("pool", [*_farmhand(), *virtual_rig.pool(pool_port, state / "run" / "pool.jsonl")])
    family.wait("pool", lambda: readiness.answers("127.0.0.1", pool_port), READY_S)
    if master == "sentry":
        return rig_port, virtual_rig.gateway(farm.home, SENTRY, pool_port) | virtual_rig.bus(rig_port)
    domain = next((d for d in farm.domains.values() if not d.home), farm.domains[farm.home])
    return rig_port, virtual_rig.gateway(domain.name, ESP, pool_port)


def _add_sentry(
    farm: Farm, state: Path, family: Family, api: Api, name: str, kind: str, environment: dict[str, str]
) -> None:
    folder = state / "sentry" / name
    if not (folder / "credential.json").exists():
        answer = api.post("/tokens", {"domain": farm.home, "kind": kind, "name": name, "ttl_s": 600})
        given = ["--name", name, "--kind", kind, "--root", farm.root, "--state", str(folder)]
        _do([*_farmhand(), "sentry", "enrol", answer["broker"], answer["token"], *given])
    process = "sentry" if name == SENTRY else f"sentry-{name}"
    family.add(process, [*_farmhand(), "sentry", "run", "--state", str(folder)], environment)


def _announce(api: Api, seconds: float, as_json: bool, console: Console) -> None:
    link = f"{api.url}/?key={api.key}"
    if as_json:
        print(json.dumps({"url": api.url, "key": api.key, "ready_s": round(seconds, 2)}), flush=True)
        return
    console.print(f"\n[bold]farm ready[/] in {seconds:.1f} s: [link={link}]{link}[/link]")
    console.print("in another terminal: farmhand status, farmhand watch; Ctrl-C here stops the farm\n", soft_wrap=True)


def _farmhand() -> list[str]:
    return [sys.executable, "-m", "farmhand"]


def _do(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotStart(f"{' '.join(command[1:5])} failed: {(done.stderr or done.stdout).strip()}")
