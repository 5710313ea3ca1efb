"""The menu on the serial console, on a pseudo-terminal, of a running node."""

import os
import pty
import re
import subprocess
import termios
import threading
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import program
from tests.node.rig import Broker, NodeProcess, Peer, credential_config
from tests.support.waiting import PATIENCE, wait_until

WIFI = '''
STA_IF = 0


class WLAN:
    """A station that sees two networks, as the port's documentation describes it."""

    calls = []

    def __init__(self, interface):
        assert interface == STA_IF

    def isconnected(self):
        return True

    def ifconfig(self):
        return ("192.0.2.7", "255.255.255.0", "192.0.2.1", "192.0.2.1")

    def status(self, what):
        return -61

    def scan(self):
        return [(b"far", b"123456", 11, -90, 0, False), (b"barn", b"123457", 6, -61, 3, False)]

    def disconnect(self):
        print("wlan.disconnect()")

    def connect(self):
        print("wlan.connect()")
'''


class Console(NodeProcess):
    """A node whose standard input and output are a terminal; `screen` is what it showed."""

    screen = ""
    path = ""
    board = ""  # description of a virtual one

    def start(self) -> None:
        self.terminal, line = pty.openpty()
        tty.setraw(line, termios.TCSANOW)
        argv = [str(program("micropython")), "-X", f"heapsize={self.heap}", str(self.main), str(self.config)]
        env = {**os.environ, "MICROPYPATH": self.path, "FARMHAND_BOARD": self.board}
        self.process = subprocess.Popen(argv, stdin=line, stdout=line, stderr=line, env=env, start_new_session=True)
        os.close(line)
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        while True:
            try:
                self.screen += os.read(self.terminal, 1000).decode()
            except OSError:  # the node has ended
                return

    def press(self, keys: str, expect: str) -> str:
        """What the screen shows from this key on until `expect`."""
        start = len(self.screen)
        os.write(self.terminal, keys.encode())
        wait_until(f"{expect!r} after {keys!r}", lambda: re.search(expect, self.screen[start:]) is not None)
        return self.screen[start:]

    def stop(self) -> None:
        super().stop()
        self.reader.join(PATIENCE)
        os.close(self.terminal)


@pytest.fixture
def console(shipped_main: Path, tmp_path: Path, broker: Broker, peer: Peer) -> Iterator[Console]:
    (tmp_path / "wifi.py").write_text(WIFI)  # compiled, because on a board it is in the firmware
    subprocess.run([str(program("mpy-cross")), "-o", tmp_path / "network.mpy", tmp_path / "wifi.py"], check=True)
    Console.path = str(tmp_path)
    node = Console(shipped_main, tmp_path / "node", credential_config(broker.port), "72k")
    peer.wait("self/state", lambda word: word == "ready")
    yield node
    node.stop()


def test_every_page(console: Console) -> None:
    menu = console.press("x", "> $")
    assert "1 status" in menu
    assert "farmhand esp_node" in menu
    status = console.press("1", "> $")
    assert re.search(r"node +esp-1 in farm/barn", status)
    assert re.search(r"broker +127.0.0.1:\d+, connected", status)
    assert re.search(r"mode +normal", status)
    overview = console.press("2", "> $")
    assert re.search(r"load +load1 [\d.]+, load5", overview)
    statistics = console.press("3", "> $")
    assert re.search(r"heap +\d+ B free", statistics)
    assert re.search(r"link +0 reconnects", statistics)
    wifi = console.press("4", "the menu: $")
    assert re.search(r"station +connected, 192.0.2.7", wifi)
    assert wifi.index("barn ") < wifi.index("far "), "the strongest first"
    assert re.search(r"far +-90 dBm, channel 11, open", wifi)
    again = console.press("r", "> $")
    assert again.index("wlan.disconnect()") < again.index("wlan.connect()")
    assert re.search(r"a connectivity\s+b load", console.press("5", "sensor: $"))
    assert re.search(r"load +load1 .*\s+time taken +[\d.]+ ms", console.press("b", "> $"))
    assert "connected to 127.0.0.1" in console.press("6", "> $")
    console.press("q", "left the menu")
    print(console.screen)
    assert max(len(line) for line in console.screen.splitlines()) <= 80


def test_arrow_keys_and_line_terminals(console: Console) -> None:
    console.press("\x1b[A", "> $")
    assert "hardware" in console.press("1\r\n", "> $")
    assert "hardware" not in console.press("\r\n", "> $")


def test_open_menu_holds_nothing_up(console: Console, peer: Peer) -> None:
    console.press("x", "> $")
    console.press("5", "sensor: $")
    count = len(peer.heard)
    for number in range(3):
        peer.command("farm/barn/esp-1/self/cmd/ping", f"c{number}")
        peer.wait(f"ack/c{number}")
    peer.wait("tele/load", since=count)


def test_restart_from_the_menu(console: Console, peer: Peer) -> None:
    console.press("x", "> $")
    console.press("7", "restart")
    assert console.process.wait(PATIENCE) == 5
    peer.wait("self/state", lambda word: word == "disconnected")


def test_no_console_is_no_trouble(shipped_main: Path, tmp_path: Path, broker: Broker, peer: Peer) -> None:
    config: dict[str, Any] = credential_config(broker.port)
    node = NodeProcess(shipped_main, tmp_path / "node", config)  # its standard input is that of the tests: at its end
    try:
        peer.wait("tele/load", lambda data: data["seq"] > 5)
        assert "status" not in node.log.read_text()
    finally:
        node.stop()
