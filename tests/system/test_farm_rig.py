"""`farmhand up --rig 3`: real firmware on simulated AVRs, a master in MicroPython or in the sentry, two bridged
brokers, gateway and pool mine together."""

import json
import os
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.avr.conftest import firmware
from tests.system.farm import Farm, farmhand, wait_for
from tests.system.shares import Shares

# The simulator wants a core for itself, which it does not always get.
pytestmark = [pytest.mark.broker, pytest.mark.micropython, pytest.mark.timeout(600)]

SLAVES = ("avr-11", "avr-12", "avr-13")
MINED = 200
PATIENCE_S = 300  # on a machine that may simulate slower than real time


@dataclass(frozen=True)
class Master:
    """Whose bus the slaves are on: node, its process in the run folder, and the options of `up` that make it so."""

    node: str
    process: str
    options: tuple[str, ...]
    hurt: tuple[tuple[str, int], ...]
    """what is hurt in turn, and how many shares are mined then: the issue's three, 200 in all, and the programs"""
    at_home: bool = False


ISSUE = (("broker", 67), ("pool", 67), ("slave", 67))
MASTERS = (
    Master("esp-1", "esp-1", ("--rig", "3"), (*ISSUE, ("master", 10), ("gateway", 10))),
    Master("host", "sentry", ("--rig", "3", "--rig-master", "sentry"), (*ISSUE, ("gateway", 10)), at_home=True),
)


class Rig:
    """A farm with a rig, and who watches its shares."""

    def __init__(self, farm: Farm, master: Master) -> None:
        self.farm, self.master = farm, master
        self.shares = Shares(farm, master.node, 2 * len(SLAVES), master.at_home)

    def figures(self) -> dict[str, dict[str, Any]]:
        """Device -> latest figures of its part `slave`, as the commander has them."""
        latest = self.farm.node(self.master.node)["latest"]
        return {device: latest[device]["slave"] for device in latest if "slave" in latest[device]}

    def mine(self, count: int, since_ms: int = 0) -> None:
        """Until the pool has taken so many shares after that time."""
        wait_for(f"{count} shares", lambda: self.shares.accepted(since_ms) >= count, PATIENCE_S)

    def hurt(self, part: str) -> int:
        """kill -9 of a part, or a reset of the slave at 12; when (ms)."""
        at = self.shares.fault(part)
        match part:
            case "slave":
                self._reset(1)
            case "broker":
                os.kill(self.farm.mosquitto(self.farm.node(self.master.node)["domain"]), signal.SIGKILL)
            case "master":
                os.kill(self.farm.pid(self.master.process), signal.SIGKILL)
            case "gateway":
                os.kill(self.farm.pid("sentry"), signal.SIGKILL)
            case _:
                os.kill(self.farm.pid(part), signal.SIGKILL)
        return at

    def _reset(self, slave: int) -> None:
        port = (self.farm.state / "run" / "rig.log").read_text()
        with socket.create_connection(("127.0.0.1", json.loads(port.splitlines()[0])["port"])) as simulator:
            simulator.sendall(json.dumps({"op": "fault", "kind": "reset", "slave": slave}).encode() + b"\n")
            assert json.loads(simulator.makefile().readline())["ok"]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all: a farm whose slaves change their master between two starts."""
    return tmp_path_factory.mktemp("rig") / "state"


@pytest.fixture(scope="module", params=MASTERS, ids=lambda master: master.node)
def rig(request: pytest.FixtureRequest, state: Path) -> Iterator[Rig]:
    firmware()
    for pattern in ("*.log", "pool.jsonl"):  # of the start before
        for written in (state / "run").glob(pattern):
            written.unlink()
    # A job takes a sixth of a second, so that many are under way when something is hurt.
    settings = {"FARMHAND_POOL_TIER": "AVR", "FARMHAND_POOL_SHARES_PER_MINUTE": "100000"}
    with Farm(state, **settings).up(*request.param.options) as farm:
        yield Rig(farm, request.param)


def test_200_shares_without_a_bad_one(rig: Rig) -> None:
    rig.mine(MINED)
    assert rig.shares.check() >= MINED
    judged = rig.shares.ledger()
    assert {each["chip"] for each in judged} == {f"DUCOIDFA1200000000000{number}" for number in (1, 2, 3)}
    assert {(each["tier"], each["difficulty"]) for each in judged} == {("AVR", 10)}
    told = farmhand("pool", "stats", "--port", _port_of_the_pool(rig.farm), "--json")
    assert json.loads(told.stdout)["accepted"] >= len(judged)
    wait_for("figures of all slaves", lambda: set(rig.figures()) == set(SLAVES))
    wait_for("their shares", lambda: sum(each["accepted"] for each in rig.figures().values()) >= MINED)
    for each in rig.figures().values():
        assert 3000 < each["hashrate"] < 4300, each
        assert each["refused"] == each["stale"] == each["lost"] == 0
        assert each["server"] in "RJKEG"
    _shows_the_rig(rig)


def test_none_is_credited_twice_and_none_lost_whatever_is_hurt(rig: Rig) -> None:
    for part, shares in rig.master.hurt:
        rig.mine(shares, since_ms=rig.hurt(part))
    rig.shares.check()


def _port_of_the_pool(farm: Farm) -> str:
    return (farm.state / "run" / "pool.log").read_text().split()[2].rstrip(",").rpartition(":")[2]


def _shows_the_rig(rig: Rig) -> None:
    """`farmhand rig` says what the ledger says."""
    at = "--state", str(rig.farm.state)
    shown = farmhand("rig", "show", rig.master.node, "--json", *at)
    assert shown.returncode == 0, shown.stderr
    told = json.loads(shown.stdout)
    assert [each["device"] for each in told["slaves"]] == list(SLAVES)
    assert told["totals"]["here"] == 3
    assert told["totals"]["accepted"] >= MINED
    for number, each in enumerate(told["slaves"], 1):
        assert (each["firmware"], each["chip"]) == ("AVR v1 16 MHz", f"FA1200000000000{number}")
        assert each["pool"]["gateway"] == "host"
    for table in (("list",), ("show", rig.master.node)):
        text = farmhand("rig", *table, *at, env={**os.environ, "COLUMNS": "120"}).stdout
        assert rig.master.node in text
        assert "3 of 3" in text
        assert "host" in text
