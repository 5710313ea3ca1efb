"""Fixtures for tests on real boards.

def test_my_circuit(board, farmhand_boards):
    for serial, path, pulses in farmhand_boards.evaluate_bitstreams(["mine.bin"], serials=[board]):
        assert pulses == 1_714_285

pytest --farmhand-url http://farm:8080 --farmhand-key KEY     # or FARMHAND_URL, FARMHAND_KEY
"""

import getpass
import os
from collections.abc import Iterator

import pytest

from farmhand_client.blocking import BoardClient, PulseCountClient, VarianceClient

KINDS = {"pulsecount": PulseCountClient, "variance": VarianceClient}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("farmhand")
    group.addoption("--farmhand-url", default=os.environ.get("FARMHAND_URL", ""), help="of the farm's commander")
    group.addoption("--farmhand-key", default=None, help="an API key of the role operator; FARMHAND_KEY unless given")
    group.addoption("--farmhand-kind", default="pulsecount", help="what boards shall be (pulsecount)")
    group.addoption("--farmhand-wait", type=float, default=600, help="seconds to wait for a board (600)")


@pytest.fixture(scope="session")
def farmhand_boards(request: pytest.FixtureRequest) -> Iterator[BoardClient]:
    """The client by which the boards of this run are reserved; skipped when no farm is named."""
    url = str(request.config.getoption("--farmhand-url"))
    if not url:
        pytest.skip("no farm: --farmhand-url or FARMHAND_URL names one")
    kind = str(request.config.getoption("--farmhand-kind"))
    name = f"pytest of {getpass.getuser()} ({os.getpid()})"[:64]
    with KINDS.get(kind, BoardClient)(url, name, key=request.config.getoption("--farmhand-key")) as client:
        yield client


@pytest.fixture
def board(farmhand_boards: BoardClient, request: pytest.FixtureRequest) -> Iterator[str]:
    """The serial of a board that only this test has."""
    wait = float(str(request.config.getoption("--farmhand-wait")))
    kind = str(request.config.getoption("--farmhand-kind"))
    serials = farmhand_boards.reserve(1, wait_for_available=True, available_timeout=wait, kind=kind)
    yield serials[0]
    farmhand_boards.end(serials)
