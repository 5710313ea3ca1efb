"""Tests on real boards: pytest test_my_circuit.py --farmhand-url http://farm:8080 --farmhand-key KEY"""

from pathlib import Path

import pytest
from farmhand_client import PulseCountClient

BITSTREAMS = Path(__file__).parent / "bitstreams"
CLOCK_HZ = 12_000_000  # of virtual boards; a real one gives 48 MHz


@pytest.mark.parametrize("by", [7, 100])
def test_divides_the_clock(board: str, farmhand_boards: PulseCountClient, by: int) -> None:
    (result,) = farmhand_boards.evaluate_bitstreams([BITSTREAMS / f"by-{by}.bin"], serials=[board])
    assert abs(result.value - CLOCK_HZ / by) <= 1
