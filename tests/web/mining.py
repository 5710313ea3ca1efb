"""Hosts that mine and sentries with ASICs, which say what real sentries say: by sentry/mining/figures.py."""

import json
from typing import Any

from schema import fleet
from sentry.mining.figures import UNITS, Algorithm, Card, Figures, readings
from tests.web.farm import Machine, WebFarm, now_ms

MINER = (
    "state software version uptime_s algorithm hashrate accepted rejected stale invalid pool user difficulty "
    "algorithm_2 hashrate_2 accepted_2 rejected_2 stale_2 pool_2 user_2 power temp "
    "cards paused model address expected fan_rpm"
)


def parts(cards: int) -> dict[str, dict[str, str]]:
    """What the birth of a mining node announces."""
    card = {name: UNITS.get(name, "") for name in Card.__dataclass_fields__}
    return {"miner": {name: UNITS.get(name, "") for name in MINER.split()}, **{f"card-{n}": card for n in range(cards)}}


def host(farm: WebFarm, name: str, kind: str = "cpu-gpu", domain: str = "house") -> Machine:
    machine = farm.enrol(domain, name, kind)
    machine.born(parts(4), kind=kind)
    return machine


def says(machine: Machine, device: str, state: str, figures: Figures | None, ts: int | None = None) -> None:
    for reading in readings(device, state, figures):
        machine.measured(reading.part, device, ts, **reading.values)


def cpu(hashrate: float, accepted: int = 100, **more: Any) -> Figures:
    """XMRig on a processor."""
    told = Algorithm("rx/0", hashrate, accepted, more.pop("rejected", 0), pool="pool.example:3333", user="48abc")
    return Figures("xmrig", "6.22.2", 3_600, (told,), **more)


def gpu(hashrate: float, cards: int = 2, accepted: int = 50, rejected: int = 1) -> Figures:
    """A GPU miner with a second algorithm."""
    each = tuple(
        Card(
            f"RTX 30{60 + n}", hashrate / cards, 1e6, 55 + n, 80 + n, 40, None, 120 + n, 1500, 7000, 25, n, f"0{n}:00.0"
        )
        for n in range(cards)
    )
    first = Algorithm("kawpow", hashrate, accepted, rejected, 2, pool="kawpow.example:4444", user="R9wallet.rig")
    second = Algorithm("zil", 1e6 * cards, 3, 0, pool="zil.example:5555", user="zil1wallet")
    return Figures("lolminer", "1.88", 86_400, (first, second), each, sum(card.power or 0 for card in each))


def asic(hashrate: float, power: float = 3250, temp: float = 68, accepted: int = 900) -> Figures:
    """An ASIC with three boards."""
    boards = tuple(Card(f"board {n}", hashrate / 3, temp=temp - n) for n in range(3))
    told = Algorithm("sha256", hashrate, accepted, 2, pool="stratum+tcp://pool.example:3333", user="farm.s19")
    extra = {"model": "Antminer S19", "address": "10.0.0.7", "expected": 95e12, "fan_rpm": 5880}
    return Figures("cgminer", "49.0.1.3", 7_200, (told,), boards, power, extra=extra)


RELEASE = {"url": "https://example.org/x.tar.gz", "sha256": "ab" * 32, "archive": "tar", "member": "miner"}
RECORDS: dict[str, dict[str, Any]] = {
    "templates/coin/raven": {"algorithm": "kawpow"},
    "templates/pool/nest": {"coin": "raven", "urls": [{"url": "pool.example:4444"}]},
    "templates/address/cold": {"coin": "raven", "address": "R9wallet"},
    "software/lolminer/releases/1.88/linux-x86_64": RELEASE,
    "software/xmrig/releases/6.22.2/linux-x86_64": RELEASE,
}


def playbook(software: str, release: str, kind: str) -> dict[str, Any]:
    mined = [{"pool": "nest", "address": "cold"}]
    return {"software": software, "release": release, "kind": kind, "mine": mined, "targets": {"nodes": ["digger"]}}


class MiningFarm:
    """A rig with a GPU miner and, by its playbooks, one more; a sentry with two ASICs, one of them silent."""

    def __init__(self, farm: WebFarm):
        self.farm = farm
        self.rig, self.hall = host(farm, "digger"), host(farm, "hall", "asic")
        now = now_ms()
        for age in range(30, 0, -1):
            says(self.rig, "miner-gpu", "online", gpu(40e6, accepted=60 - 2 * age), now - age * 60_000)
        says(self.rig, "miner-gpu", "online", gpu(40e6, accepted=60))
        says(self.hall, "asic-s19", "online", asic(95e12))
        says(self.hall, "asic-dead", "offline", None)
        for path, data in RECORDS.items():
            self.put(path, data)
        self.put("playbooks/gpu", playbook("lolminer", "1.88", "gpu"))
        self.put("playbooks/xmr", playbook("xmrig", "6.22.2", "cpu"))
        farm.until(lambda: farm.get("/api/v1/mining/overview")["count"] == {"miner": 1, "asic": 2, "rig": 0, "here": 2})

    def put(self, path: str, data: dict[str, Any]) -> None:
        answer = self.farm.api.put(f"/api/v1/mining/{path}", json={"data": data})
        assert answer.status_code == 200, answer.text

    def reported(self, status: str, miners: dict[str, Any], error: str = "", **more: Any) -> None:
        documents = self.farm.get("/api/v1/nodes/digger/desired")["items"]
        (rev,) = (row["rev"] for row in documents if row["doc"] == "playbooks")
        data = {"miners": miners, "running_rev": rev, **more}
        report = {"rev": rev, "status": status, "error": error, "data": data}
        self.rig.say(fleet.REPORTED, report, "playbooks", retain=True)


def answered(machine: Machine, name: str, **answer: Any) -> dict[str, Any]:
    """Arguments of the command that came, after the node has answered it."""
    command = ordered(machine, name)
    acknowledge(machine, command, **answer)
    return command["args"]


def ordered(machine: Machine, name: str) -> dict[str, Any]:
    got = machine.client.expect(lambda topic, _: topic.endswith(f"/cmd/{name}"))
    return json.loads(json.loads(got)["body"])


def acknowledge(machine: Machine, command: dict[str, Any], **answer: Any) -> None:
    machine.say(fleet.ACK, {"id": command["id"], "status": "done", **answer}, command["id"])
