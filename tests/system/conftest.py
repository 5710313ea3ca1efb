"""One farm of two domains for most system tests; its bridge runs through a relay that a test can cut."""

from collections.abc import Iterator

import pytest

from tests.system.farm import Farm
from tests.system.relay import Relay


class LinkedFarm(Farm):
    """House and barn, with the sentries host (house), barn-1 and barn-2 (barn), and the node esp-1 (barn)."""

    relay: Relay

    def options(self, domain: str, **options: int) -> None:
        """Restart a broker with raw options of Mosquitto's; without any: as it was."""
        lines = "".join(f"{key} = {value}\n" for key, value in options.items())
        house = self.file.domains["house"].port

        def change(text: str) -> str:
            if domain == "barn":
                # As behind a router: the barn reaches the house under another port than the house listens on.
                text = text.replace(f"port = {house}", f"port = {self.relay.port}")
            return f"{text}\n[domains.{domain}.mosquitto]\n{lines}"

        self.install(domain, change)


@pytest.fixture(scope="session")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LinkedFarm]:
    farm = LinkedFarm(tmp_path_factory.mktemp("farm") / "state")
    farm.up()
    farm.relay = Relay(farm.file.domains["house"].port)
    try:
        farm.options("barn")
        for name in ("barn-1", "barn-2"):
            farm.enrol("barn", name)
        yield farm
    finally:
        farm.end()
        farm.relay.close()
