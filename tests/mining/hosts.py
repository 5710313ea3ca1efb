"""A sentry with miners: real processes, of the simulated miner unless a test names another program."""

import json
import os
import shutil
import tarfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from sentry.mining.rollout import here
from tests.conftest import ROOT
from tests.sentry.rig import HouseBroker, Peer, Sentry
from tests.support.ports import free_ports
from tests.support.waiting import wait_until

SIMULATED = ROOT / "sentry" / "mining" / "simulated_miner.py"


class MinerSentry(Sentry):
    """``miner``: its settings FARMHAND_MINER_<NAME>. Miners are looked at, asked for and given up sooner than usual."""

    miner: dict[str, Any] = {}  # noqa: RUF012

    @property
    def place(self) -> dict[str, Any]:
        place = super().place
        usual = {"poll_s": 0.3, "stop_s": 1, "retry_s": 0.1, "retry_most_s": 0.2, "crashes": 3, "allow_root": "yes"}
        values = {**usual, **self.miner}
        place["env"] |= {f"FARMHAND_MINER_{name.upper()}": str(value) for name, value in values.items()}
        return place

    def pids(self) -> dict[str, int]:
        """Of the miners that it has noted."""
        with suppress(FileNotFoundError):
            kept = json.loads((self.state / "miners" / "miners.json").read_text())
            return {name: each["pid"] for name, each in kept.get("processes", {}).items()}
        return {}


class Farm:
    """Signs documents and commands for that one sentry, and hears what it says."""

    def __init__(self, broker: HouseBroker, peer: Peer, sentry: MinerSentry) -> None:
        self.broker, self.peer, self.sentry = broker, peer, sentry
        self._rev = self._commands = 0
        self._seen: set[int] = set()

    def want(self, *miners: dict[str, Any], **change: Any) -> int:
        """Its revision."""
        self._rev += 1
        body = {"rev": self._rev, "epoch": 1, "data": {"miners": list(miners), **change}}
        self.peer.publish(*self.peer.sealed("desired", "playbooks", body), retain=True)
        return self._rev

    def reported(self, status: str, rev: int | None = None, **steps: str) -> dict[str, Any]:
        """The next report with that status, of the newest revision unless another is given, and with these miners'
        states."""
        rev = self._rev if rev is None else rev

        def fits(report: Any) -> bool:
            if not report or (report["rev"], report["status"]) != (rev, status):
                return False
            return all(report["data"]["miners"][name]["state"] == step for name, step in steps.items())

        return self.peer.expect("/self/reported/playbooks", fits)

    def runs(self, *miners: dict[str, Any]) -> dict[str, Any]:
        """The document's report once it is applied."""
        self.want(*miners)
        return self.reported("applied")

    def event(self, did: str, name: str = "cpu") -> dict[str, Any]:
        """One that was not asked for before: nobody stores events here, so the sentry sends each again and again."""

        def fits(event: Any) -> bool:
            return event["did"] == did and event["seq"] not in self._seen

        found = self.peer.expect(f"/miner-{name}/evt/miner", fits)
        self._seen.add(found["seq"])
        return found

    def send(self, command: str, **args: Any) -> str:
        """Its id."""
        self._commands += 1
        name = f"c{self._commands}"
        self.peer.publish(*self.peer.command(command, name, args=args))
        return name

    def ask(self, command: str, **args: Any) -> dict[str, Any]:
        name = self.send(command, **args)
        return self.peer.expect(f"/ack/{name}", lambda data: data["status"] != "accepted")

    def do(self, do: str, name: str = "cpu") -> dict[str, Any]:
        answer = self.ask("miner", name=name, do=do)
        assert answer["status"] == "done", answer
        return answer["result"]


def digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def program(path: Path = SIMULATED, **change: Any) -> dict[str, Any]:
    """One that runs where it lies."""
    return {"path": str(path), "sha256": digest(path), "archive": "none", **change}


def miner(name: str = "cpu", *args: str, port: int = 0, **change: Any) -> dict[str, Any]:
    """A MINER record: the simulated miner, which hashes after 50 ms."""
    port = port or free_ports(1)[0]
    usual = ["--http-port", str(port), "--http-no-restricted", "--warm-up", "0.05", "-t", "1"]
    return {
        "name": name, "playbook": "test", "version": 1, "software": "simulated", "release": "1.0",
        "programs": {here(): program()}, "args": [*usual, *args], "adapter": "xmrig", "api": {"port": port},
        "grace_s": 30, **change,
    }  # fmt: skip


def packed(folder: Path, kind: str = "tar.gz", source: Path = SIMULATED) -> Path:
    """An archive with the simulated miner at bin/simulated."""
    (folder / "bin").mkdir(parents=True)
    shutil.copy(source, folder / "bin" / "simulated")
    archive = folder.with_name(f"{folder.name}.{kind}")
    if kind == "zip":
        shutil.make_archive(str(folder), "zip", folder)
    else:
        with tarfile.open(archive, "w:gz") as file:
            file.add(folder / "bin", "bin")
    return archive


def is_alive(pid: int) -> bool:
    """A zombie is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def gone(pid: int) -> None:
    wait_until(f"the end of process {pid}", lambda: not is_alive(pid))


def end(pid: int) -> None:
    """Of a miner that a test left running."""
    with suppress(ProcessLookupError):
        os.killpg(pid, 9)
