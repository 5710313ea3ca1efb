"""`farmhand node flash` with the real mpremote, onto a board that is MicroPython behind a pseudo-terminal."""

import base64
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from broker.passwords import hashed
from esp_node import firmware
from esp_node.flash import BEGIN
from schema import tokens
from tests.conftest import ROOT
from tests.node.rig import UMQTT, Broker, Peer
from tests.node.serial_board import Make, mpremote
from tests.system.farm import Farm as WholeFarm
from tests.system.farm import wait_for

TOKEN = tokens.build("barn", "t-1", "token-secret")
NOBODY = ("--token", TOKEN, "--broker", "127.0.0.1:1", "--wait", "0")
OWN_BOOT = b"print('boot of my own')\nmine = 1  # \xc3\xa4\n"


def run(port: str, made: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "farmhand", "node", "flash", port, "--firmware", str(made)]
    command += ["--umqtt", str(UMQTT), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)


def holds_the_firmware(flash: Path, made: Path) -> bool:
    """Whether each file of the firmware is on the board, byte for byte, and no other one in our folders."""
    names = set(json.loads((made / "manifest.json").read_text())["files"]) - set(firmware.ROOT_FILES)
    there = {path.relative_to(flash / "lib").as_posix() for path in (flash / "lib").rglob("*.mpy")}
    same = all((flash / "lib" / name).read_bytes() == (made / name).read_bytes() for name in names)
    return (
        same
        and there - {"umqtt/simple.mpy"} == names
        and (flash / "main.py").read_bytes() == (made / "main.py").read_bytes()
    )


class Farm:
    """A broker that asks for passwords, and a peer that answers one enrolment as the commander does."""

    def __init__(self, folder: Path) -> None:
        self.passwords = folder / "passwords"
        self._user("t-1", "token-secret")
        self._user("peer", "peer")
        self.broker = Broker(folder, "allow_anonymous false", f"password_file {self.passwords}")
        self.peer = Peer(self.broker.port, user="peer")
        self._answerer = threading.Thread(target=self._answer)
        self._answerer.start()

    def _user(self, name: str, secret: str) -> None:
        with self.passwords.open("a") as file:
            file.write(f"{name}:{hashed(secret)}\n")

    def _answer(self) -> None:
        # More than a hundred files go over the wire before: on a loaded machine that takes a minute.
        request = self.peer.wait("enrol/barn/t-1/req", patience=200)
        self._user("esp-7", "node-secret")
        self.broker.send(signal.SIGHUP)
        answer = {
            "nonce": request["nonce"], "node": "esp-7", "password": "node-secret", "epoch": 3,
            "verify": base64.b64encode(self.peer.key).decode(),
        }  # fmt: skip
        self.peer.publish("farm/_/enrol/barn/t-1/res", json.dumps(answer).encode())

    def stop(self) -> None:
        self._answerer.join()
        self.peer.stop()
        self.broker.stop()


@pytest.mark.broker
@pytest.mark.micropython
def test_from_an_empty_board_to_a_node_of_the_farm_and_again(make_board: Make, tmp_path: Path, made: Path) -> None:
    board = make_board({"boot.py": OWN_BOOT, "main.py": b"print('blink')\n"})
    farm = Farm(tmp_path)
    try:
        options = ("--broker", f"127.0.0.1:{farm.broker.port}", "--webrepl", "pass-123")
        first = run(board.port, made, "--token", TOKEN, *options)
        assert first.returncode == 0, first.stdout + first.stderr
        assert "connected to 127.0.0.1" in first.stdout
        assert not any(secret in first.stdout + first.stderr for secret in (TOKEN, "token-secret", "pass-123"))
        farm.peer.wait("esp-7/self/state", lambda word: word == "ready")
        assert farm.peer.wait("esp-7/self/info")["kind"] == "esp"

        assert holds_the_firmware(board.flash, made)
        assert (board.flash / "main.old.py").read_bytes() == b"print('blink')\n"
        assert (board.flash / "webrepl_cfg.py").read_text() == "PASS = 'pass-123'\n"
        boot = (board.flash / "boot.py").read_bytes()
        assert boot.startswith(OWN_BOOT.rstrip())
        assert boot.count(BEGIN) == 1
        assert b"boot of my own" in board.printed

        # The node runs: it must let mpremote in, lose nothing, and be a node of the farm again without a token.
        before = times(board.flash)
        heard = len(farm.peer.heard)
        again = run(board.port, made, "--keep-config")
        assert again.returncode == 0, again.stdout + again.stderr
        assert "copying 0 files" in again.stdout
        assert times(board.flash) == before
        farm.peer.wait("esp-7/self/state", lambda word: word == "ready", since=heard)
        words = [data for topic, data, _ in farm.peer.heard[heard:] if topic.endswith("esp-7/self/state")]
        assert words[0] == "disconnected"  # it was stopped in good order
        assert not any("enrol" in topic for topic, _, _ in farm.peer.heard[heard:])
    finally:
        farm.stop()


@pytest.mark.broker
@pytest.mark.micropython
@pytest.mark.scale
def test_a_board_joins_a_whole_farm(make_board: Make, tmp_path: Path, made: Path) -> None:
    """As a person does it: make a token, flash, look at the list."""
    board = make_board(made=made)
    farm = WholeFarm(tmp_path / "farm")
    farm.up()
    try:
        given = farm.token("barn", "esp", "shed")
        done = run(board.port, made, "--token", given["token"], "--broker", given["broker"])
        assert done.returncode == 0, done.stdout + done.stderr
        node = wait_for("shed with telemetry", lambda: next_ready(farm, "shed"))
        assert node["kind"] == "esp"
    finally:
        farm.end()


def next_ready(farm: WholeFarm, name: str) -> dict[str, Any] | None:
    node = farm.node(name)
    return node if node["presence"] == "ready" and node["latest"] else None


def times(flash: Path) -> dict[Path, int]:
    """When each program on a board was written."""
    return {path: path.stat().st_mtime_ns for path in flash.rglob("*.*py")}


@pytest.mark.micropython
def test_only_what_differs_is_copied_and_what_is_old_goes(make_board: Make, made: Path) -> None:
    board = make_board(
        {
            "main.py": (made / "main.py").read_bytes(),
            "slots.mpy": (made / "slots.mpy").read_bytes(),
            "slots.json": b"{}",
            "lib/esp_node/link.mpy": b"damaged",
            "lib/esp_node/node.py": b"raise Exception('of an older build, and found before node.mpy')",
            "lib/esp_node/gone.mpy": b"of an older version",
            "lib/esp_node/sensors/mine.py": b"NAME = 'mine'",
            "credential.json": b"{}",
        },
        made,
    )
    (board.flash / "lib" / "esp_node" / "link.mpy").write_bytes(b"damaged")
    done = run(board.port, made, *NOBODY)
    assert "copying 4 files" in done.stdout, done.stdout + done.stderr  # link, boot.py, config.json, umqtt.simple
    assert "removing /credential.json, /lib/esp_node/gone.mpy, /lib/esp_node/node.py, /slots.json\n" in done.stdout
    assert (board.flash / "lib" / "esp_node" / "sensors" / "mine.py").exists()
    # What comes by cable counts, also on a board that was updated from afar.
    (board.flash / "lib" / "manifest.json").write_text("{}")
    again = run(board.port, made, "--keep-config", "--wait", "0")
    assert "copying 0 files" in again.stdout, again.stdout + again.stderr
    assert "removing /lib/manifest.json" in again.stdout


@pytest.mark.micropython
def test_a_boot_of_ones_own_can_stay_as_it_is(make_board: Make, made: Path) -> None:
    board = make_board({"boot.py": OWN_BOOT}, made)
    assert run(board.port, made, *NOBODY, "--no-merge-boot").returncode == 0
    assert (board.flash / "boot.py").read_bytes() == OWN_BOOT


@pytest.mark.micropython
@pytest.mark.parametrize("blocks", [12, 60])
def test_a_full_flash_is_said(make_board: Make, made: Path, tmp_path: Path, blocks: int) -> None:
    """12 blocks hold fewer bytes than are needed, which is seen before; 60 do not, with a block for each file."""
    chip = tmp_path / "chip"
    chip.write_bytes(b"\xff" * 4096 * blocks)
    board = make_board(flash=chip)
    done = run(board.port, made, *NOBODY)
    assert done.returncode == 1
    assert f"farmhand: {board.port}: the board's flash is full: " in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.micropython
def test_littlefs_of_one_megabyte_holds_it(make_board: Make, made: Path, tmp_path: Path) -> None:
    """Less than any ESP8266 board with 4 MB leaves."""
    chip = tmp_path / "chip"
    chip.write_bytes(b"\xff" * 2**20)
    board = make_board(flash=chip)
    done = run(board.port, made, *NOBODY)
    assert done.returncode == 0, done.stderr
    digest = hashlib.sha256((made / "main.py").read_bytes()).hexdigest()
    assert digest in mpremote(board, "sha256sum", "/main.py").stdout


@pytest.mark.micropython
def test_a_configuration_that_the_node_refuses_is_shown(make_board: Make, made: Path) -> None:
    board = make_board({"config.json": b'{"colour": 1}'}, made)
    done = run(board.port, made, "--keep-config")
    assert done.returncode == 1
    assert "the node did not start: esp_node: config.json: colour: unknown setting" in done.stderr, done.stdout


@pytest.mark.micropython
def test_mip_installs_the_package_with_what_it_needs(make_board: Make, made: Path, tmp_path: Path) -> None:
    """From the package's folder, and umqtt.simple out of an index, here one in a folder."""
    board = make_board()
    client = (UMQTT / "umqtt" / "simple.py").read_bytes()
    digest = hashlib.sha256(client).hexdigest()
    index = tmp_path / "index"
    for path in (index / "package" / "6" / "umqtt.simple", index / "file" / digest[:2]):
        path.mkdir(parents=True)
    (index / "file" / digest[:2] / digest).write_bytes(client)
    package = {"v": 1, "hashes": [["umqtt/simple.py", digest]], "version": "1.3.4"}
    wish = index / "package" / "6" / "umqtt.simple" / "latest.json"
    wish.write_text(json.dumps(package))
    install = ("mip", "install", "--index", str(index), str(made / "package.json"))
    done = mpremote(board, *install)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {path.read_bytes() for path in (board.flash / "lib").rglob("simple.py")} == {client}
    names = set(json.loads((made / "manifest.json").read_text())["files"]) - set(firmware.ROOT_FILES)
    assert all((board.flash / "lib" / name).read_bytes() == (made / name).read_bytes() for name in names)
    wish.unlink()
    assert "Package may be partially installed" in mpremote(board, *install).stdout


def test_a_port_that_is_not_there(tmp_path: Path, made: Path) -> None:
    done = run(str(tmp_path / "ttyUSB7"), made, *NOBODY)
    assert done.returncode == 1
    assert "ttyUSB7: cannot be opened; " in done.stderr
    assert "serial port" in done.stderr


def test_something_else_than_micropython(tmp_path: Path, made: Path) -> None:
    outer, slave = os.openpty()
    port = tmp_path / "ttyOTHER"
    port.symlink_to(os.ttyname(slave))
    done = run(str(port), made, *NOBODY)
    os.close(outer)
    os.close(slave)
    assert done.returncode == 1
    assert "no MicroPython answers there" in done.stderr
