"""What boot.py and main.py do on a board, which is MicroPython behind a pseudo-terminal."""

from pathlib import Path

import pytest

from esp_node import firmware
from tests.conftest import ROOT
from tests.node.serial_board import Make, mpremote
from tests.support.waiting import wait_until

pytestmark = pytest.mark.micropython


def starters(made: Path) -> dict[str, bytes]:
    return {name: (made / name).read_bytes() for name in firmware.ROOT_FILES} | {"lib/esp_node/__init__.py": b""}


def test_the_button_keeps_the_node_from_starting(make_board: Make, made: Path) -> None:
    board = make_board({**starters(made), "config.json": b'{"strap": 14}'}, held="2,14")
    board.wait_for("button held: the node is not started")
    assert mpremote(board, "resume", "exec", "print('REPL', stay)").stdout == "REPL True\n"
    board.held = ""
    since = len(board.printed)
    mpremote(board, "resume", "reset")
    board.wait_for("no module named 'esp_node.run'", since)  # main.py went on: there is just nothing to start


@pytest.mark.parametrize(
    ("files", "starts"),
    [
        ({}, False),
        ({"webrepl_cfg.py": b"PASS = 'pass'"}, True),
        ({"webrepl_cfg.py": b"PASS = 'pass'", "config.json": b'{"webrepl": false}'}, False),
    ],
)
def test_webrepl_needs_a_password_and_can_be_off(make_board: Make, files: dict[str, bytes], starts: bool) -> None:
    """WebREPL itself is part of a board's firmware; a stand-in says whether boot.py starts it."""
    stand_in = b"def start():\n print('WebREPL starts')\n"
    boot = (ROOT / "esp_node" / "boot.py").read_bytes()
    board = make_board({**files, "lib/webrepl.py": stand_in, "boot.py": boot, "main.py": b"print('main runs')"})
    board.wait_for("main runs")
    assert (b"WebREPL starts" in board.printed) == starts


def test_a_node_that_breaks_starts_again_unless_somebody_is_there(make_board: Make, made: Path) -> None:
    broken = b"print('once more')\nraise ValueError('broken')\n"
    board = make_board({**starters(made), "lib/esp_node/run.py": broken})
    wait_until("two starts", lambda: board.printed.count(b"once more") == 2)
    assert board.resets == ["hard"]
    assert b"ValueError: broken" in board.printed
    assert mpremote(board, "resume", "exec", "print('in')").stdout == "in\n"


@pytest.mark.parametrize(("code", "starts_again"), [(0, True), (2, False), (3, False), (4, True)])
def test_what_a_board_does_when_the_node_ends(make_board: Make, made: Path, code: int, starts_again: bool) -> None:
    ending = b"def main(config):\n print('ends')\n return %d\n" % code
    board = make_board({**starters(made), "lib/esp_node/run.py": ending})
    board.wait_for("ends")
    wait_until("what comes then", lambda: board.resets if starts_again else b">>> " in board.printed)
    assert ("hard" in board.resets) == starts_again
