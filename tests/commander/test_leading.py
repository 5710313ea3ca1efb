"""Two commanders on one database: one leads, the other takes over; a loser leaves the broker."""

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from commander.fleet.tables import lease
from commander.service import Service
from commander.settings import Settings
from tests.broker.farm import RunningFarm
from tests.commander.conftest import emptied
from tests.commander.postgres import Cluster
from tests.commander.serving import FARM
from tests.support.ports import with_ports
from tests.support.waiting import PATIENCE

pytestmark = [pytest.mark.broker, pytest.mark.postgres]


class Starting(threading.Thread):
    """Makes a Service, which waits until it leads."""

    def __init__(self, state: Path, url: str):
        super().__init__()
        self.settings = Settings(state=state, database=url)
        self.service: Service | None = None
        self.start()

    def run(self) -> None:
        self.service = Service(self.settings)
        self.service.start()


@pytest.fixture
def brokers(tmp_path: Path) -> Iterator[RunningFarm]:
    brokers = RunningFarm(tmp_path / "one", with_ports(FARM)).start()
    yield brokers
    brokers.stop()


def wait(test: Callable[[], Any]) -> None:
    ticker = threading.Event()
    for _ in range(int(PATIENCE / 0.05)):
        if test():
            return
        ticker.wait(0.05)
    raise AssertionError("waited in vain")


def test_the_standby_takes_over(brokers: RunningFarm, cluster: Cluster, tmp_path: Path) -> None:
    url = emptied(cluster.url)
    other_state = tmp_path / "two"
    for name in ("farm.toml", "commander/secrets.json"):
        (other_state / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(brokers.state / name, other_state / name)
    shutil.copy(brokers.state / "commander" / "secrets.json", other_state / "commander")
    one = Starting(brokers.state, url)
    one.join(PATIENCE)
    assert one.service is not None
    first = one.service
    wait(lambda: first.mqtt.leader.connected)
    two = Starting(other_state, url)
    two.join(0.5)
    assert two.service is None, "it must stand by"
    epoch = first.flow.epoch
    first.stop()
    two.join(PATIENCE)
    assert two.service is not None
    second = two.service
    try:
        assert second.flow.epoch > epoch
        wait(lambda: second.mqtt.leader.connected and all(session.connected for session in second.mqtt.sessions))
        # Somebody else takes lease and session: the loser notices at once and stays away.
        with second.database.writing() as connection:
            connection.execute(update(lease).values(holder="somebody-else"))
        brokers.commander("farm-leader").close()
        wait(second.lost_lease.is_set)
        wait(lambda: not second.line_runs())
        assert not any(session.connected for session in (*second.mqtt.sessions, second.mqtt.leader))
    finally:
        second.stop()
