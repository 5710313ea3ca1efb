"""The firmware of boards with MicroPython, on both interpreters, and what the loader makes of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import esp_node
from schema.boards import BITSTREAM_BYTES
from schema.message import Invalid
from sentry.boards.bitstream import PREAMBLE, check_bitstream
from sentry.boards.faults import BoardFailed
from sentry.boards.loading import read_program
from sentry.boards.settings import load_boards
from sentry.boards.virtual.interpreter import MODULES
from sentry.errors import SentryError
from tests.conftest import ROOT, program

SCRIPT = Path(__file__).parent / "portable" / "firmware.py"
PROGRAMS = Path(esp_node.__file__).parent / "boards"


@pytest.mark.parametrize("interpreter", ["cpython", pytest.param("micropython", marks=pytest.mark.micropython)])
def test_parts_on_both_interpreters(interpreter: str) -> None:
    path = os.pathsep.join([str(ROOT), str(MODULES)])
    if interpreter == "cpython":
        argv, env = [sys.executable, str(SCRIPT)], {**os.environ, "PYTHONPATH": path}
    else:
        argv = [str(program("micropython")), "-X", "heapsize=8m", str(SCRIPT)]
        env = {**os.environ, "MICROPYPATH": path}
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout.endswith("ok\n"), done.stdout + done.stderr


def test_a_program_is_one_text(tmp_path: Path) -> None:
    text = read_program(PROGRAMS / "pulse_count.py")
    compile(text, "pulse_count.py", "exec")
    assert "esp_node" not in text
    assert text.index("def serve") < text.index("def pulses")
    assert "\nfrom machine import Pin\n" in text
    # The same when the files lie anywhere else.
    for name in ("pulse_count", "receiving"):
        (tmp_path / f"{name}.py").write_text((PROGRAMS / f"{name}.py").read_text())
    assert read_program(tmp_path / "pulse_count.py") == text


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "No such file"),
        (b"print('\xff')", "is no text in UTF-8"),
        (b"print('\x04')", "has control characters"),
        (b"print('\x03')", "has control characters"),
    ],
)
def test_what_is_no_program(content: bytes | None, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "blink.py"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BoardFailed, match=problem):
        read_program(path)


def test_firmware_is_all_of_one_sort() -> None:
    given = {"FARMHAND_BOARD_DEFAULT": "/x/default.py", "FARMHAND_BOARD_BLINK": "/x/blink.py"}
    assert load_boards(given).file_of("blink") == Path("/x/blink.py")
    with pytest.raises(SentryError, match=r"must be all \.uf2 or all \.py"):
        load_boards({**given, "FARMHAND_BOARD_BLINK": "/x/blink.uf2"})
    with pytest.raises(SentryError, match=r"ends in \.uf2 or \.py"):
        load_boards({**given, "FARMHAND_BOARD_BLINK": "/x/blink.bin"})


def test_no_bitstream_begins_as_the_loader_does() -> None:
    check_bitstream((b"\xff" + PREAMBLE).ljust(BITSTREAM_BYTES, b"\x03"))
    with pytest.raises(Invalid, match="must not begin with the byte 03"):
        check_bitstream((b"\x03" + PREAMBLE).ljust(BITSTREAM_BYTES, b"\0"))
