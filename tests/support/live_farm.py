"""The client's tests against a live farm: pytest tests/system/test_client*.py --url http://farm:8080 --key KEY"""

from argparse import SUPPRESS

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Shorter names of options that farmhand_client.pytest_plugin has."""
    group = parser.getgroup("farmhand")
    group.addoption("--url", dest="farmhand_url", default=SUPPRESS, help="the same as --farmhand-url")
    group.addoption("--key", dest="farmhand_key", default=SUPPRESS, help="the same as --farmhand-key")


@pytest.fixture(scope="session")
def no_live_farm(request: pytest.FixtureRequest) -> None:
    """For tests that hurt a farm, or count on what is in it."""
    if request.config.getoption("--farmhand-url"):
        pytest.skip("needs a farm of its own, not the one of --url")
