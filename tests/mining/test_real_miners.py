"""Miners that run here: the simulated one, which is a program of its own, and monerod; asked as the sentry asks."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sentry.mining import simulated_miner
from sentry.mining.ask import Asker
from sentry.mining.figures import Figures, readings, state_of
from sentry.mining.miners import NoAnswer, adapter
from tests.conftest import ROOT, program
from tests.support.ports import free_ports
from tests.support.replay import RECORDED
from tests.support.waiting import PATIENCE, wait_until

SIMULATED = (sys.executable, "-I", "-S", simulated_miner.__file__)


class Miner:
    """A process with an API. ``args``: `{port}` in them becomes the port of its API."""

    def __init__(self, name: str, words: tuple[str, ...], folder: Path, token: str = "", **env: str) -> None:
        self.adapter, self.port, self._token = adapter(name), free_ports(1)[0], token
        self.log = folder / f"{self.port}.log"
        with self.log.open("wb") as log:
            args = [word.replace("{port}", str(self.port)) for word in words]
            self.process = subprocess.Popen(args, stdout=log, stderr=log, env={**os.environ, **env})

    def figures(self, answer_s: float = PATIENCE) -> Figures:
        return self._ask(lambda asker, place: asker.figures(self.adapter, *place, self._token), answer_s)

    def tell(self, name: str) -> list[bytes]:
        control = self.adapter.controls[name]
        assert not callable(control)
        return self._ask(lambda asker, place: asker.tell(control, *place, self._token))

    def _ask(self, work: Callable[[Asker, tuple[str, int]], Any], answer_s: float = PATIENCE) -> Any:
        async def run() -> Any:
            return await work(Asker(answer_s), ("127.0.0.1", self.port))

        return asyncio.run(run())

    def reaches(self, state: str) -> Figures:
        """The first look at it in that state."""

        def look() -> Figures | None:
            assert self.process.poll() is None, self.log.read_text()
            found = self.figures()
            return found if state_of(True, found) == state else None

        return wait_until(f"a miner that is {state}", look, 2 * PATIENCE, (NoAnswer,))

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Miner]]:
    made: list[Miner] = []

    def start(name: str, *words: str, **options: Any) -> Miner:
        made.append(Miner(name, words, tmp_path, **options))
        return made[-1]

    yield start
    for miner in made:
        if miner.process.poll() is None:
            miner.end(signal.SIGKILL)


def test_a_simulated_miner_from_its_start_to_its_end(start: Callable[..., Miner]) -> None:
    words = ("-t", "3", "-o", "pool.example:3333", "-u", "wallet", "-p", "x", "-a", "rx/0", "--rig-id", "rig", "--cuda")
    api = ("--http-port", "{port}", "--http-access-token", "secret", "--http-no-restricted", "--hashrate", "40000")
    miner = start("xmrig", *SIMULATED, *words, *api, "--print-time", "0.5", token="secret")
    first = wait_until("its API", miner.figures, passing=(NoAnswer,))
    assert (first.algorithms[0].name, first.algorithms[0].pool, first.gpus) == ("rx/0", "pool.example:3333", 0)
    hashing = miner.reaches("online")
    assert hashing.hashrate == pytest.approx(40_000, rel=0.03)
    assert hashing.cards[0].hashrate == pytest.approx(hashing.hashrate, rel=0.03)
    assert wait_until("a share", lambda: miner.figures().algorithms[0].accepted)

    assert json.loads(miner.tell("pause")[0])["result"] == {"status": "OK"}
    paused = miner.figures()
    assert (paused.paused, paused.hashrate, state_of(True, paused)) == (True, None, "inactive")
    miner.tell("resume")
    assert not miner.reaches("online").paused

    wait_until("its log", lambda: " H/s max " in miner.log.read_text())
    assert miner.end() == 0
    log = miner.log.read_text()
    assert "opens no connection to a pool" in log
    assert "ignored: --cuda" in log
    assert "accepted (1/0)" in log
    with pytest.raises(NoAnswer):
        miner.figures()


def test_a_simulated_miner_that_may_not_be_told(start: Callable[..., Miner]) -> None:
    miner = start("xmrig", *SIMULATED, "--http-port", "{port}", "--warm-up", "0", "-t", "1")
    miner.reaches("online")
    with pytest.raises(NoAnswer, match="HTTP 403"):
        miner.tell("pause")
    guarded = start("xmrig", *SIMULATED, "--http-port", "{port}", "--http-access-token", "secret", token="wrong")
    wait_until("its log", lambda: "listens on" in guarded.log.read_text())
    with pytest.raises(NoAnswer, match="HTTP 401"):
        guarded.figures()


def test_simulated_miners_that_do_not_do_well(start: Callable[..., Miner]) -> None:
    silent = start("xmrig", *SIMULATED, "--http-port", "{port}", "--silent", "--warm-up", "0")
    crashing = start("xmrig", *SIMULATED, "--http-port", "{port}", "--crash-after", "0.5")
    hanging = start("xmrig", *SIMULATED, "--http-port", "{port}", "--hang-after", "0.5", "--ignore-term")
    assert silent.reaches("inactive").hashrate == 0
    assert crashing.process.wait(PATIENCE) == 1
    wait_until("its log", lambda: "hangs" in hanging.log.read_text())
    hanging.process.terminate()
    with pytest.raises(NoAnswer, match="no whole answer within"):
        hanging.figures(0.3)
    assert hanging.process.poll() is None
    assert hanging.end(signal.SIGKILL) == -signal.SIGKILL


def test_recorded_answers_from_a_program(start: Callable[..., Miner]) -> None:
    """As a playbook starts it: Python's own library is all it has."""
    words = (sys.executable, "-S", "-m", "tests.support.replay", "lolminer", "1.92", "{port}")
    replay = start("lolminer", *words, PYTHONPATH=str(ROOT))
    assert replay.reaches("online").hashrate == pytest.approx(5_654_916, abs=1)
    assert replay.end() == 0


@pytest.mark.monero
def test_monerod_from_a_node_that_does_not_mine_to_one_that_does(start: Callable[..., Miner], tmp_path: Path) -> None:
    path = program("monerod")
    assert path is not None
    words = (
        *("--regtest", "--offline", "--non-interactive", "--no-zmq", "--no-igd", "--disable-dns-checkpoints"),
        *("--check-updates", "disabled", "--fixed-difficulty", "1000000", "--data-dir", str(tmp_path / "chain")),
        *("--p2p-bind-ip", "127.0.0.1", "--rpc-bind-port", "{port}"),
    )
    # Without RandomX's large data set (4): it hashes slowly, but within a second and in a tenth of the memory.
    miner = start("monerod", str(path), *words, MONERO_RANDOMX_UMASK="4")
    idle = miner.reaches("inactive")
    assert (idle.hashrate, idle.extra["height"], idle.extra["synchronized"]) == (0, 1, True)
    recorded = json.loads((RECORDED / "monerod" / "0.18.0-mining" / "1.json").read_text())

    begin = {"threads_count": 1, "do_background_mining": False, "ignore_battery": True}
    asked = json.dumps({"miner_address": recorded["address"], **begin}).encode()
    place = f"http://127.0.0.1:{miner.port}"
    with urllib.request.urlopen(f"{place}/start_mining", asked, PATIENCE) as answer:
        assert json.load(answer)["status"] == "OK"
    mining = miner.reaches("online")
    assert (mining.algorithms[0].name, mining.algorithms[0].user) == ("RandomX", recorded["address"])
    assert mining.extra["threads"] == 1
    assert readings("miner-node", "online", mining)[0].values["height"] == 1
    with urllib.request.urlopen(f"{place}/mining_status", timeout=PATIENCE) as answer:
        assert set(json.load(answer)) == set(recorded), "it tells other fields than were recorded"
    assert miner.end() == 0
