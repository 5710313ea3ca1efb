"""`farmhand node ESP menu`: commander, broker, MicroPython node, and slaves with the real firmware."""

import json
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from commander.api import ApiError
from commander.rig_menu import problem, steps
from tests.avr.conftest import firmware
from tests.avr.virtual import VirtualRig
from tests.commander.serving import Serving
from tests.commander.test_update import farmhand
from tests.conftest import ROOT
from tests.node.test_menu import Console
from tests.node.test_menu_rig import WIRES, on_the_bus
from tests.support.waiting import PATIENCE, wait_until

pytestmark = [pytest.mark.broker, pytest.mark.micropython]


@pytest.fixture(scope="module")
def served(shipped_main: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A farm whose node esp-1 has two slaves."""
    folder = tmp_path_factory.mktemp("menu")
    wires = VirtualRig(firmware() / "slave-16.elf", 2)
    serving = Serving(folder / "farm", "sqlite")
    node = None
    try:
        wish = {"domain": "house", "kind": "esp", "name": "esp-1"}
        token = serving.admin.post("/api/v1/tokens", json=wish).json()["token"]
        broker = ["127.0.0.1", serving.brokers.farm.domains["house"].port]
        on_the_bus(shipped_main, wires, folder)
        config = {"token": token, "brokers": [broker], "sensors": {}, "rig": WIRES}
        node = Console(shipped_main, folder / "esp-1", config, "192k")
        serving.until(lambda: serving.admin.get("/api/v1/nodes/esp-1").json().get("presence") == "ready")
        yield serving
    finally:
        if node:
            node.stop()
        serving.stop()
        wires.close()


def test_keys(served: Serving) -> None:
    done = farmhand(served, "node", "esp-1", "menu", "--keys", "o a 11 i n 50")
    assert done.returncode == 0, done.stderr
    overview, statistics = done.stdout.split("slave 11\n")
    assert re.fullmatch(r"cons 2\n11 \w\n12 \w\n", overview)
    assert statistics.startswith("Target 11  Connected True\nName >I2C 11 AVR v1")
    assert "50 does not answer" in statistics


def test_lines_of_a_program_and_what_is_refused(served: Serving) -> None:
    lines = "a 12\nd\na 99\nc\na 12 c\nz\nx\no\n"
    done = farmhand(served, "node", "menu", "esp-1", input=lines)
    assert done.returncode == 1
    # Nothing is done to the slave chosen before a wrong one, and nothing after x.
    assert re.fullmatch(r"slave 12\n12 closed\nslave 12\n12 R\n11 closed\n12 closed\n", done.stdout)
    which = "must be the address of a slave: 11, 12"
    assert done.stderr.splitlines()[:2] == [f"value: {which}", f"slave: {which}"]
    assert done.stderr.splitlines()[2].startswith("letter: must be one of")
    again = farmhand(served, "node", "esp-1", "menu", "--keys", "s", "--json")
    assert json.loads(again.stdout)["result"]["lines"] == ["cons 2", "11 R", "12 R"]


def test_keys_of_a_person(served: Serving) -> None:
    outer, inner = pty.openpty()
    environment = {**os.environ, "FARMHAND_URL": served.url}
    environment["FARMHAND_KEY"] = served.admin.headers["authorization"].removeprefix("Bearer ")
    command = [sys.executable, "-m", "farmhand", "node", "esp-1", "menu"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=inner, stdout=inner, stderr=inner)
    screen = ""

    def read() -> None:
        nonlocal screen
        while True:
            try:
                screen += os.read(outer, 1000).decode()
            except OSError:
                return

    reader = threading.Thread(target=read)

    def press(keys: str, expect: str) -> str:
        start = len(screen)
        os.write(outer, keys.encode())
        wait_until(f"{expect!r} after {keys!r}", lambda: re.search(expect, screen[start:]))
        return screen[start:]

    try:
        reader.start()
        wait_until("the menu", lambda: screen.endswith("rig> "))
        assert "slave 12" in press("a11\x7f2\n", "rig 12> $")
        assert "Target 12  Connected True" in press("i", "rig 12> $")
        press("\x1b[A", "rig 12> $")
        press("l", r"(cons 2\s+11 \w\s+12 \w\s+){2}$")
        press("q", "rig 12> $")
        assert "closed" not in press("xn", "rig 12> $")
        press("n\x1b", "rig 12> $")
        assert "closed" in press("xy", "12 closed")
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
        os.close(inner)
        reader.join(PATIENCE)
        os.close(outer)
        print(screen)


def test_steps() -> None:
    assert steps(" a 11 i?v20\n") == [("a", 11), ("i", None), ("?", None), ("v", 20)]
    assert steps("") == []
    with pytest.raises(ApiError, match="keys: must be letters"):
        steps("11 a")


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"code": "bad-arguments", "result": {"field": "slave", "problem": "there is none yet"}}, "slave: there is"),
        ({"code": "bus", "result": {"problem": "No such device"}}, "No such device"),
        ({"code": "unknown", "result": {"allowed": ["ping"]}}, "esp-1 has no rig"),
        ({"code": "", "result": None, "status": "timeout"}, "esp-1: timeout"),
    ],
)
def test_problem(row: dict[str, Any], text: str) -> None:
    assert problem({"node": "esp-1", "status": "failed", **row}).startswith(text)
