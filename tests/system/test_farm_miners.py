"""Every kind of miner and ASIC on its whole way: what it really answered, asked by a sentry over HTTP or TCP, through
broker and commander to the API and to the page. Then a real node, and playbooks that go wrong.
"""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from commander.api import ApiError
from commander.virtual_miners import ADDRESS, PLATFORM
from sentry.enrol import Wish, enrol
from sentry.home import Home
from sentry.mining.figures import Figures
from sentry.mining.miners import adapter, names
from tests.conftest import ROOT, program
from tests.support.farms import HOUSE, HTTP
from tests.support.ports import free_ports
from tests.support.replay import Replay, answers
from tests.system.farm import Farm, wait_for
from tests.system.sentry_process import Sentry

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

MINERS = {
    "xmrig": "6.16.0", "lolminer": "1.92", "bzminer": "assembled-dual", "trex": "0.19.9", "rigel": "1.23.2",
    "srbminer": "1.7.9", "monerod": "0.18.0-mining",
}  # fmt: skip
ASICS = {"cgminer": "antminer-s19xp", "braiins": "s9", "iceriver": "ks3m", "bitaxe": "302"}
COIN, POOL = "demo", "pool.example:3333"


def test_every_adapter_is_here() -> None:
    assert {*MINERS, *ASICS} == set(names())


def read(kind: str, case: str) -> Figures:
    return adapter(kind).read(answers(kind, case))


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    settings = {"FARMHAND_MINER_ALLOW_ROOT": "yes", "FARMHAND_MINER_POLL_S": "1", "FARMHAND_MINER_CRASHES": "3"}
    with Farm(tmp_path_factory.mktemp("miners") / "state", HOUSE + HTTP, **settings).up() as farm:
        farm.api.put(f"/mining/templates/coin/{COIN}", {"data": {"algorithm": "rx/0"}})
        farm.api.put(f"/mining/templates/pool/{COIN}", {"data": {"coin": COIN, "urls": [{"url": POOL}]}})
        farm.api.put(f"/mining/templates/address/{COIN}", {"data": {"coin": COIN, "address": ADDRESS}})
        yield farm


@pytest.fixture(scope="module")
def replayed(farm: Farm) -> dict[str, str]:
    """The name of a miner of each adapter, all of them on one host: a program that answers what was recorded."""
    path = farm.state / "replay"
    path.write_text(f'#!/bin/sh\ncd {ROOT} && exec {sys.executable} -m tests.support.replay "$@"\n')
    path.chmod(0o755)
    for kind in MINERS:
        about = {"title": kind, "licence": "MIT", "platforms": [PLATFORM], "mines": ["cpu"], "homepage": ""}
        software = {**about, "adapter": kind, "api_port": 40_000, "arguments": []}
        farm.api.put(f"/mining/software/replay-{kind}", {"data": software})
        release(farm, f"replay-{kind}", path)
    for kind, port in zip(MINERS, free_ports(len(MINERS)), strict=True):
        arguments = [kind, MINERS[kind], "{{ api.port }}"]
        save(farm, kind, f"replay-{kind}", arguments, api={"port": port}, grace_s=60)
    return {kind: f"miner-{kind}" for kind in MINERS}


@pytest.fixture(scope="module")
def watched(farm: Farm) -> Iterator[dict[str, str]]:
    """The name of an ASIC of each adapter, watched by a sentry of their own."""
    token = farm.token("house", kind="asic", name="asics")
    home = Home(farm.state / "sentry" / "asics")
    enrol(home, Wish(token["broker"], token["token"], "asic", "asics"), 30)
    farm.sentries["asics"] = Sentry(home.path, "house", {**farm.environment, "FARMHAND_ASIC_POLL_S": "1"})
    farm.sentries["asics"].start()
    wait_for("the sentry", lambda: farm.node("asics")["presence"] == "ready")
    with ExitStack() as stack:
        wishes = []
        for kind, case in ASICS.items():
            replay = stack.enter_context(Replay(adapter(kind).asks, answers(kind, case)))
            wishes.append({"name": kind, "type": kind, "host": "127.0.0.1", "port": replay.port})
        farm.api.post("/nodes/asics/asics", {"asics": wishes})
        yield {kind: f"asic-{kind}" for kind in ASICS}


def release(farm: Farm, software: str, path: Path, **change: Any) -> None:
    data = {"path": str(path), "sha256": sha256(path.read_bytes()).hexdigest(), "archive": "none", **change}
    farm.api.put(f"/mining/software/{software}/releases/1/{PLATFORM}", {"data": data})


def save(farm: Farm, name: str, software: str, arguments: list[str], **more: Any) -> Any:
    mine = {"pool": COIN, "address": COIN}
    data = {"software": software, "release": "1", "kind": "cpu", "mine": [mine], "arguments": arguments, **more}
    return farm.api.put(f"/mining/playbooks/{name}", {"data": {**data, "targets": {"nodes": ["host"]}}})["rollout"]


def machine(farm: Farm, device: str) -> dict[str, Any]:
    """What the API says of a miner or an ASIC; {} while it says nothing."""
    items = [each for path in ("miners", "asics") for each in farm.api.get(f"/mining/{path}", limit=1000)["items"]]
    return next((each for each in items if each["device"] == device), {})


def ended(farm: Farm, rollout: dict[str, Any]) -> dict[str, Any]:
    """The rollout, when it is over."""

    def over() -> Any:
        found = farm.api.get(f"/mining/rollouts/{rollout['id']}")
        return found if found["state"] in ("done", "failed") else None

    return wait_for("the end of the rollout", over)


def test_figures_reach_api_and_page(
    farm: Farm, replayed: dict[str, str], watched: dict[str, str], browser: Browser
) -> None:
    page = browser.new_page(base_url=farm.api.url)
    page.goto(f"/?key={farm.api.key}")
    page.goto("/mining")
    for kind, device in {**replayed, **watched}.items():
        figures = read(kind, {**MINERS, **ASICS}[kind])
        wanted = [(each.name.lower(), pytest.approx(each.hashrate, rel=1e-4)) for each in figures.algorithms]

        def told(device: str = device, wanted: Any = wanted) -> bool:
            algorithms = machine(farm, device).get("algorithms", [])
            return [(each["algorithm"].lower(), each["hashrate"]) for each in algorithms] == wanted

        wait_for(f"figures of {kind}", told)
        shown = machine(farm, device)
        assert (shown["state"], shown["version"]) == ("online", figures.version)
        assert shown["algorithms"][0]["accepted"] == figures.algorithms[0].accepted
        assert shown["cards"] == len(figures.cards)
        row = page.locator(f"[data-machine$='/{device}']")
        expect(row).to_contain_text("online")
        rate = figures.hashrate
        assert rate is not None
        leading = f"{rate:.2e}".replace(".", "")[:2]
        digits = row.locator("[data-head='hash rate']").first.inner_text().replace(".", "").replace(",", "")
        assert digits.startswith(leading), (kind, digits, rate)
    page.goto("/miners/host")
    for name in replayed:
        expect(page.locator(f"[data-miner={name}]")).to_contain_text("online")
    page.close()


def test_a_dead_miner_is_seen_and_comes_back(farm: Farm, replayed: dict[str, str]) -> None:
    device = replayed["trex"]
    wait_for("it", lambda: machine(farm, device).get("state") == "online")
    before = pids(farm)
    os.kill(before["trex"], signal.SIGKILL)
    wait_for("another process", lambda: pids(farm).get("trex", before["trex"]) != before["trex"])
    events = farm.api.get("/events", node="host", type="miner")["items"]
    assert any(each["data"].get("did") == "crash" and each["device"] == device for each in events)
    # The sentry's own end changes nothing for those that run.
    running = pids(farm)
    os.kill(farm.pid("sentry"), signal.SIGKILL)
    old = farm.pid("sentry")
    wait_for("a new sentry", lambda: farm.pid("sentry") != old)
    wait_for("its figures", lambda: machine(farm, device).get("age_ms", 10**6) < 3000)
    assert pids(farm) == running


def pids(farm: Farm) -> dict[str, int]:
    kept = json.loads((farm.state / "sentry" / "host" / "miners" / "miners.json").read_text())
    return {name: each["pid"] for name, each in kept.get("processes", {}).items()}


def test_bad_playbooks_change_nothing(farm: Farm, replayed: dict[str, str]) -> None:
    wait_for("all to run", lambda: len(pids(farm)) == len(MINERS))
    before = pids(farm)
    for change, field, problem in (
        ({"arguments": ["--user", "{{ walet }}"]}, "arguments", "walet"),
        ({"software": "no-such"}, "software", "no-such"),
        ({"release": "9.9"}, "release", "9.9"),
        ({"environment": {"LD_PRELOAD": "/tmp/x.so"}}, "environment", "LD_PRELOAD"),
    ):
        data = {"software": "replay-xmrig", "release": "1", "kind": "cpu", "mine": [{"pool": COIN, "address": COIN}]}
        body = {"data": {**data, "targets": {"nodes": ["host"]}, **change}}
        with pytest.raises(ApiError) as refused:
            farm.api.put("/mining/playbooks/bad", body)
        assert field in str(refused.value)
        assert problem in str(refused.value)
    # What only the host can see: it says so, and what runs goes on.
    release(farm, "replay-xmrig", farm.state / "replay", sha256="0" * 64)
    rollout = farm.api.get("/mining/rollouts", limit=1)["items"][0]
    told = ended(farm, rollout)
    assert told["state"] == "failed"
    error = farm.api.get("/nodes/host/reported")["items"]
    assert any("sha256" in (each["error"] or "") for each in error if each["doc"] == "playbooks")
    assert pids(farm) == before
    release(farm, "replay-xmrig", farm.state / "replay")


@pytest.mark.monero
def test_a_real_node_by_a_playbook(farm: Farm, replayed: dict[str, str]) -> None:
    path = program("monerod")
    if path is None:
        pytest.skip("monerod is not on this machine; `make setup` tries to get it")
    path = Path(path).resolve()
    release(farm, "monerod", path)
    rpc, p2p = free_ports(2)
    arguments = [
        "--regtest", "--offline", "--fixed-difficulty", "1000000", "--rpc-bind-port", "{{ api.port }}",
        "--p2p-bind-ip", "127.0.0.1", "--p2p-bind-port", str(p2p), "--non-interactive", "--no-zmq", "--no-igd",
        "--disable-dns-checkpoints", "--check-updates", "disabled", "--log-level", "0",
    ]  # fmt: skip
    # One argument stays one argument, whatever is in it.
    hostile = "x; touch owned `id` && $(id) \"'"
    assert ended(farm, save(farm, "node", "monerod", arguments, api={"port": rpc}))["state"] == "done"
    shown = wait_for("the node", lambda: machine(farm, "miner-node").get("version") and machine(farm, "miner-node"))
    assert shown["more"]["network"] == "fakechain"
    first = pids(farm)["node"]
    # Switched to other arguments, and killed.
    switched = save(farm, "node", "monerod", [*arguments, "--data-dir", hostile], api={"port": rpc})
    assert ended(farm, switched)["state"] == "done"
    second = pids(farm)["node"]
    assert second != first
    home = farm.state / "sentry" / "host" / "miners" / "rigs" / "node" / "home"
    assert (home / hostile / "lmdb").is_dir() or (home / hostile / "fake" / "lmdb").is_dir()
    assert not (home / "owned").exists()
    os.kill(second, signal.SIGKILL)
    wait_for("a third", lambda: pids(farm).get("node", second) != second)
    wait_for("it answers", lambda: machine(farm, "miner-node").get("age_ms", 10**6) < 3000)
    # Taken off again; the others stay.
    farm.api.delete("/mining/playbooks/node")
    wait_for("its end", lambda: "node" not in pids(farm))
    wait_for("the others", lambda: len(pids(farm)) == len(MINERS))
