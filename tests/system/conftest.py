"""One farm of two domains for most system tests; its bridge runs through a relay that a test can cut."""

from collections.abc import Iterator

import pytest

from tests.system.farm import Farm
from tests.system.relay import Relay


class LinkedFarm(Farm):
    """House and barn, with the sentries host (house), barn-1 and barn-2 (barn), and the node esp-1 (barn)."""

    relay: Relay


@pytest.fixture(scope="session")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LinkedFarm]:
    farm = LinkedFarm(tmp_path_factory.mktemp("farm") / "state")
    farm.up()
    assert isinstance(farm, LinkedFarm)
    house = farm.file.domains["house"].port
    farm.relay = Relay(house)
    try:
        # As behind a router: the barn reaches the house under another port than the house listens on.
        farm.install("barn", lambda text: text.replace(f"port = {house}", f"port = {farm.relay.port}"))
        for name in ("barn-1", "barn-2"):
            farm.enrol("barn", name)
        yield farm
    finally:
        farm.end()
        farm.relay.close()
