from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.broker.farm import RunningFarm
from tests.support.farms import HOUSE_AND_BARN
from tests.support.ports import with_ports


@pytest.fixture
def make_farm(tmp_path: Path) -> Iterator[Callable[[str], RunningFarm]]:
    """Bootstraps a farm from a farm.toml with `{}` for each port; ends what was started."""
    made: list[RunningFarm] = []

    def make(text: str) -> RunningFarm:
        farm = RunningFarm(tmp_path / "state", with_ports(text))
        made.append(farm)
        return farm

    yield make
    for farm in made:
        farm.stop()


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFarm]:
    """house and barn, bridged and running; shared by the tests of a module."""
    farm = RunningFarm(tmp_path_factory.mktemp("two"), with_ports(HOUSE_AND_BARN))
    try:
        yield farm.start()
    finally:
        farm.stop()
