"""The rig's menu of a MicroPython node, on its console and by the command `rig`; the slaves run the real firmware, in
simulated time that goes on with what is asked of them."""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from esp_node.build import build_virtual
from tests.avr.conftest import firmware
from tests.avr.test_faults import cut_while_the_slave_pulls
from tests.avr.virtual import VirtualRig
from tests.node.rig import SELF, Broker, Peer, credential_config
from tests.node.test_menu import Console
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.broker, pytest.mark.micropython]

WIRES = {"scl": 12, "sda": 13}


def on_the_bus(main: Path, wires: VirtualRig, folder: Path) -> None:
    """The next Console of the build `main` has `wires` on its pins."""
    board = folder / "board.json"
    board.write_text(json.dumps({"devices": [{"device": "rig", "port": wires.socket.getpeername()[1], **WIRES}]}))
    Console.path, Console.board = f"{build_virtual(main.parent)}:{main.parent}:.frozen", str(board)


class Node:
    """`console` and `peer` of a node with two slaves, 11 and 12; `wires` is their simulation."""

    def __init__(self, main: Path, folder: Path):
        self.wires = VirtualRig(firmware() / "slave-16.elf", 2)
        self.broker = Broker(folder)
        self.peer = Peer(self.broker.port)
        on_the_bus(main, self.wires, folder)
        config = credential_config(self.broker.port, rig=WIRES)
        self.console = Console(main, folder / "node", config, "192k")
        self.asked = 0

    def ordered(self, letter: Any, **args: Any) -> dict[str, Any]:
        """What is acknowledged to the command."""
        self.asked += 1
        self.peer.command(SELF + "cmd/rig", f"c{self.asked}", args={"letter": letter, **args})
        return self.peer.wait(f"ack/c{self.asked}")

    def lines(self, letter: str, **args: Any) -> list[str]:
        answer = self.ordered(letter, **args)
        assert answer["status"] == "done", answer
        return answer["result"]["lines"]

    def offer(self, slave: int, job: str) -> None:
        last = hashlib.sha1(job.encode()).hexdigest()
        target = hashlib.sha1(f"{last}77".encode()).hexdigest()
        data = {"job": {"id": job, "last": last, "target": target, "difficulty": 1, "until": 0}}
        self.peer.publish(f"farm/barn/esp-1/avr-{slave}/job/offer", json.dumps(data).encode())

    def stop(self) -> None:
        self.console.stop()
        self.peer.stop()
        self.broker.stop()
        self.wires.close()


@pytest.fixture(scope="module")
def node(shipped_main: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    node = Node(shipped_main, tmp_path_factory.mktemp("rig"))
    try:
        for slave in (11, 12):
            node.peer.wait(f"avr-{slave}/state", lambda word: word == "ready")
        yield node
    finally:
        node.stop()


def test_command(node: Node) -> None:
    assert node.lines("o") == ["cons 2", "11 R", "12 R"]
    assert node.lines("a", value=12) == ["slave 12"]
    assert node.lines("d", slave=12) == ["12 closed"]
    node.peer.wait("avr-12/state", lambda word: word == "lost")
    assert "Connected False" in node.lines("i", slave=12)[0]
    heard = len(node.peer.heard)
    assert node.lines("c", slave=12) == ["12 R"]
    node.peer.wait("avr-12/state", lambda word: word == "ready", since=heard)


def test_command_is_refused_by_field(node: Node) -> None:
    for args, field in (
        ({"letter": "z"}, "letter"),
        ({"letter": ["o"]}, "letter"),
        ({"letter": "i"}, "slave"),
        ({"letter": "i", "slave": 13}, "slave"),
        ({"letter": "v", "slave": 11, "value": 12}, "value"),
        ({"letter": "v", "slave": 11, "value": "20"}, "value"),
        ({"letter": "o", "speed": 2}, "speed"),
    ):
        answer = node.ordered(**args)
        assert (answer["status"], answer["result"]["field"]) == ("refused", field), answer
    assert "11, 12" in node.ordered("a", value=9)["result"]["problem"]
    node.peer.command(SELF + "cmd/sing", "c-sing", args=[])
    assert "rig" in node.peer.wait("ack/c-sing")["result"]["allowed"]


def test_console(node: Node) -> None:
    console = node.console
    assert "8 rig" in console.press("x", "> $")
    assert "cons 2" in console.press("8", "rig> $")
    assert "slave: must be the address of a slave: 11, 12" in console.press("i", "rig> $")
    assert "must be the address of a slave" in console.press("a19\r", "rig> $")
    console.press("a", "slave: $")
    console.press("1", "1$")
    console.press("9", "9$")
    console.press("\x7f", "\b \b$")
    console.press("1", "1$")
    assert "slave 11" in console.press("\r", r"rig 11> $")
    statistics = console.press("i\r\n", r"rig 11> $")
    assert re.search(r"Target 11  Connected True\s+Name >I2C 11 AVR v1 16 MHz DUCOIDFA12000000000001<", statistics)
    assert "letter: must be one of" in console.press("z", "> $")
    console.press("n50\r", "50 does not answer.*\n.*> $")
    console.press("\x1b[A", r"^\s+rig 11> $")
    looped = console.press("l", r"(cons 2\s+11 .\s+12 .\s+){2}")
    assert "any key" in looped
    asked = len(node.peer.heard)
    node.lines("o")  # nothing is held up meanwhile
    node.peer.wait("self/tele/node", since=asked)
    console.press(" ", r"rig 11> $")
    assert "sure" in console.press("x", "y: $")
    console.press("n", r"rig 11> $")
    assert "D" not in "".join(node.lines("o"))
    console.press("\r", "\n> $")
    console.press("0", "left the menu")
    print(console.screen)
    assert max(map(len, console.screen.splitlines())) <= 80


def test_a_job_step_by_step(node: Node) -> None:
    node.lines("d", slave=12)
    node.offer(11, "j-1")
    node.offer(12, "j-2")  # waits until it is taken up again
    wait_until("a result", lambda: node.lines("w", slave=11)[0].startswith("job 1: 77, ") or _mined(node, "j-1"))
    node.peer.wait("avr-11/job/share", lambda share: (share["id"], share["nonce"]) == ("j-1", 77))
    assert node.lines("w", slave=11) == ["no result waits"]
    assert "Requests  1" in node.lines("i", slave=11)
    assert not _mined(node, "j-2")
    assert node.lines("o")[2] == "12 D"
    node.lines("s")
    node.peer.wait("avr-12/job/share", lambda share: share["id"] == "j-2")


def _mined(node: Node, job: str) -> bool:
    node.wires.sleep(20_000)
    return any(topic.endswith("job/share") and share["id"] == job for topic, share, _ in node.peer.heard)


def test_nine_clocks_of_the_node_free_the_bus(node: Node) -> None:
    node.lines("d", slave=11)
    cut_while_the_slave_pulls(node.wires)
    # The node learns of it from the other slave, long before the slave's own patience ends: its time stands still.
    wait_until("a fault", lambda: any(line.startswith("Faults") for line in node.lines("i", slave=12)))
    wait_until("a bus that is free", lambda: node.wires.ask("xfer", address=12)["ok"])
    assert "Connected True" in node.lines("i", slave=12)[0]
    assert node.lines("c", slave=11) == ["11 R"]


def test_end_and_start(node: Node) -> None:
    node.lines("x")
    assert node.lines("o") == ["cons 2", "11 D", "12 D"]
    assert node.lines("s") == ["cons 2", "11 R", "12 R"]
