from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sentry.rig import HouseBroker, Peer, Sentry


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[HouseBroker]:
    broker = HouseBroker(tmp_path / "broker")
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def commander(broker: HouseBroker) -> Iterator[Peer]:
    peer = Peer(broker.port)
    yield peer
    peer.close()


@pytest.fixture
def make_sentry(tmp_path: Path, broker: HouseBroker, commander: Peer) -> Iterator[Callable[..., Sentry]]:
    """An enrolled sentry with these settings; it is ended after the test."""
    made: list[Sentry] = []

    def make(**settings: Any) -> Sentry:
        sentry = Sentry(tmp_path / "sentry", **settings)
        sentry.enrolled(f"mqtt://127.0.0.1:{broker.port}", commander.verify)
        made.append(sentry)
        return sentry

    yield make
    for sentry in made:
        if sentry.process is not None:
            sentry.stop()
