"""No module of the node grows by more than a tenth unless somebody says so in ram.json."""

import json
from pathlib import Path

import pytest

from tests.node.ram import KNOWN, measured

pytestmark = pytest.mark.micropython


def test_no_module_needs_more_heap_than_it_did(shipped_main: Path) -> None:
    known, now = json.loads(KNOWN.read_text()), measured(shipped_main)
    assert set(known) == set(now), "write ram.json anew: python -m tests.node.ram"
    # Allocation goes in blocks of 32 bytes, and the names' tables double: small modules may jump by that.
    grown = {name: (known[name], size) for name, size in now.items() if size > known[name] * 1.1 + 128}
    assert not grown, f"(bytes before, now): {grown}; if it must be: python -m tests.node.ram"
