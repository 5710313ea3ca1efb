"""The farm on PostgreSQL: one setting in farm.toml, everything else as before."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commander.postgres import Cluster
from tests.support.farms import HOUSE_AND_BARN, HTTP
from tests.system.farm import Farm, wait_for
from tests.system.ledger import each_exactly_once, everything_stored, stream_without_holes
from tests.system.test_farm_kill import kill

pytestmark = [pytest.mark.broker, pytest.mark.micropython, pytest.mark.postgres]


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    cluster = Cluster()
    try:
        yield cluster.start()
    finally:
        cluster.remove()


@pytest.fixture
def farm(cluster: Cluster, tmp_path: Path) -> Iterator[Farm]:
    with Farm(tmp_path / "state", f'{HOUSE_AND_BARN}{HTTP}database = "{cluster.url}"\n').up() as farm:
        yield farm


def test_a_farm_on_postgresql_loses_nothing_when_it_dies(farm: Farm, cluster: Cluster) -> None:
    host = farm.sentries["host"]
    barn = farm.enrol("barn", "barn-1")
    for hurt in (lambda: kill(farm.pid("commander")), lambda: restart(cluster)):
        begin = barn.mark
        loads = [sentry.emit(1000, 500) for sentry in (host, barn)]
        wait_for("flow", lambda begin=begin: barn.mark > begin + 200)
        hurt()
        for load in loads:
            assert load.wait(60) == 0
        everything_stored(farm, [host, barn])
    assert each_exactly_once(farm, [host, barn]) >= 4000
    assert stream_without_holes(farm, "esp-1")
    assert not list((farm.state / "commander").glob("*.db"))


def restart(cluster: Cluster) -> None:
    """As a power cut ends it."""
    cluster.stop()
    cluster.start()
