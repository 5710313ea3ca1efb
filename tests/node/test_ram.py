"""No module of the node grows by more than a tenth unless somebody says so in ram.json; and the whole has its limit."""

import json
from pathlib import Path

import pytest

from tests.node.ram import KNOWN, lives, measured

pytestmark = [pytest.mark.micropython, pytest.mark.broker]


def test_no_module_needs_more_heap_than_it_did(shipped_main: Path) -> None:
    known, now = json.loads(KNOWN.read_text()), measured(shipped_main)
    assert set(known) == set(now), "write ram.json anew: python -m tests.node.ram"
    # Allocation goes in blocks of 32 bytes, and the names' tables double: small modules may jump by that.
    grown = {name: (known[name], size) for name, size in now.items() if size > known[name] * 1.1 + 128}
    assert not grown, f"(bytes before, now): {grown}; if it must be: python -m tests.node.ram"


def test_a_node_of_three_sensors_and_two_steps_lives_in_48_kb(shipped_main: Path, tmp_path: Path) -> None:
    assert lives(shipped_main, tmp_path / "node", 48)
