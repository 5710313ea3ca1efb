"""`farmhand node update` with everything real: command line, commander, bridge, and nodes in two domains that run what
they are given and go back from what does not work. And a node that keeps crashing, in safe mode, as the farm sees it.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from commander import software
from tests.conftest import ROOT
from tests.node.depot import Board, Files
from tests.system.farm import Farm, farmhand, wait_for

pytestmark = [pytest.mark.broker, pytest.mark.browser, pytest.mark.micropython]

NODE = "esp-1"  # in the barn, behind the bridge


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """A farm of its own: it is stopped in between, and its node killed."""
    farm = Farm(tmp_path_factory.mktemp("farm") / "state").up()
    try:
        yield farm
    finally:
        farm.end()
        print(farm.logs())


@pytest.fixture(scope="module")
def files(farm: Farm) -> Files:
    """The software that the node began with."""
    return software.read(flash(farm) / "lib")


@pytest.fixture(scope="module")
def shed(farm: Farm, files: Files, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """The node shed, in the commander's own domain."""
    folder = tmp_path_factory.mktemp("shed")
    write(folder / "lib", files)
    write(folder, {name: (flash(farm) / name).read_bytes() for name in ("main.py", "slots.mpy")})
    broker = ["127.0.0.1", farm.file.domains["house"].port]
    token = farm.token("house", "esp", "shed")["token"]
    board = Board(folder / "main.py", folder, {"root": farm.file.root, "token": token, "brokers": [broker]})
    try:
        wait_for("shed ready", lambda: farm.node("shed")["presence"] == "ready")
        yield board
    finally:
        board.stop()
        print(board.log.read_text()[-2000:])


@pytest.fixture
def page(farm: Farm, browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.goto(f"{farm.api.url}/?key={farm.api.key}")
    page.goto(f"{farm.api.url}/nodes/{NODE}")
    yield page
    page.close()


def flash(farm: Farm) -> Path:
    return farm.state / "node" / NODE


def slots(farm: Farm) -> dict[str, Any]:
    return json.loads((flash(farm) / "slots.json").read_text())


def write(folder: Path, files: Files) -> Path:
    for name, blob in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(blob)
    return folder


def command(farm: Farm, *words: str | Path) -> list[str]:
    return [sys.executable, "-m", "farmhand", "node", "update", *map(str, words), "--state", str(farm.state)]


def reported(farm: Farm) -> dict[str, Any]:
    return next(row for row in farm.node(NODE)["reported"] if row["doc"] == "software")


def runs(farm: Farm, node: str = NODE) -> str:
    """The version that the node says it is running."""
    return farm.node(node)["info"]["software"].removeprefix("farmhand esp_node ")


def test_a_release_runs_from_the_other_slot(farm: Farm, files: Files, page: Page, tmp_path: Path) -> None:
    begun_with = runs(farm)
    done = farmhand(*command(farm, NODE, "--from", write(tmp_path, files))[3:])
    assert done.returncode == 0, done.stderr
    version = done.stdout.split()[1].rstrip(":")
    assert version.startswith(f"{begun_with}-")
    assert (runs(farm), slots(farm)["good"]) == (version, "lib2")
    expect(page.locator("body")).to_contain_text(f"farmhand esp_node {version}")


def test_the_next_reaches_two_domains_though_the_commander_is_killed(
    farm: Farm, files: Files, shed: Board, page: Page, tmp_path: Path
) -> None:
    new = {f"extra/part{number}.py": os.urandom(10_000) for number in range(40)}  # some seconds of fetching
    words = (NODE, "shed", "--all-at-once", "--version", "next", "--from", write(tmp_path, {**files, **new}))
    terminal = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": "200"}
    updating = subprocess.Popen(command(farm, *words), cwd=ROOT, env=terminal, stdout=subprocess.PIPE, text=True)
    wait_for("the middle of it", lambda: 30 <= reported(farm)["data"].get("pct", 0) < 80)
    expect(page.locator("#documents")).to_contain_text("pending")
    os.kill(farm.pid("commander"), signal.SIGKILL)
    assert slots(farm)["trial"] is None, "it was not in the middle any more"
    shown, _ = updating.communicate(timeout=150)
    assert updating.returncode == 0
    assert "pending" in shown
    assert "applied" in shown
    assert (farm.node(NODE)["domain"], farm.node("shed")["domain"]) == ("barn", "house")
    assert (runs(farm), runs(farm, "shed"), slots(farm)["good"]) == ("next", "next", "lib")
    assert reported(farm)["data"] == {"version": "next", "slot": "lib"}
    told = farmhand("node", "show", NODE, "--state", farm.state).stdout
    assert "farmhand esp_node next" in told
    assert "applied" in told
    expect(page.locator("body")).to_contain_text("farmhand esp_node next")


def test_a_broken_release_is_taken_back_and_fails_the_command(farm: Farm, files: Files, tmp_path: Path) -> None:
    before = runs(farm)
    broken = {**files, "esp_node/run.py": b"raise RuntimeError('bang')\n"}
    del broken["esp_node/run.mpy"]
    done = farmhand(*command(farm, NODE, "--version", "broken", "--from", write(tmp_path, broken))[3:])
    assert done.returncode == 1
    assert done.stderr.strip().endswith(f"{NODE}: failed: RuntimeError: bang")
    assert runs(farm) == before
    ping = farmhand("node", "cmd", NODE, "ping", "--state", farm.state)
    assert ping.returncode == 0, ping.stderr


def test_a_farm_that_starts_again_has_what_it_was_given(farm: Farm) -> None:
    before, used = runs(farm), slots(farm)["good"]
    farm.end()
    farm.up()
    assert (runs(farm), slots(farm)["good"]) == (before, used)
    assert slots(farm)["crashes"] == 0


def test_safe_mode_is_seen_and_left(farm: Farm, page: Page) -> None:
    sensors = farm.node(NODE)["info"]["sensors"]
    assert sensors
    while slots(farm)["crashes"] < 3:
        boot = farm.node(NODE)["boot"]
        os.kill(farm.pid(NODE), signal.SIGKILL)
        wait_for("the next start", lambda boot=boot: farm.node(NODE)["boot"] != boot)
    text = "3 crashes in a row, the last: a start did not get as far as the broker"
    wait_for("the alert", lambda: [a["text"] for a in farm.node(NODE)["alerts"] if a["name"] == "safe-mode"] == [text])
    expect(page.locator("#alerts")).to_contain_text(text)
    assert "safe-mode" in farmhand("alerts", "--state", farm.state, env={**os.environ, "COLUMNS": "200"}).stdout
    assert farm.node(NODE)["info"]["sensors"] == []
    done = farmhand("node", "cmd", NODE, "restart", "--state", farm.state)
    assert done.returncode == 0, done.stderr
    wait_for("all sensors again", lambda: farm.node(NODE)["info"]["sensors"] == sensors)
    wait_for("no alert", lambda: not farm.node(NODE)["alerts"])
    expect(page.locator("#alerts")).not_to_contain_text(text)
