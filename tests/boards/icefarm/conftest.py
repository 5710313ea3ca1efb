"""The gateway of a commander, with a sentry of four boards that is there over MQTT."""

from collections.abc import Iterator

import httpx
import pytest

from commander.icefarm_edge import Gateway
from tests.boards.board_sentry import BoardSentry
from tests.boards.icefarm.asking import SERIALS, free
from tests.boards.icefarm.clients import Connect, OldClient
from tests.commander.serving import Serving
from tests.support.waiting import PATIENCE


@pytest.fixture(scope="module")
def sentry(serving: Serving) -> Iterator[BoardSentry]:
    made = BoardSentry(serving, "bench", **{serial: {} for serial in SERIALS})
    serving.until(lambda: free(serving) == 4)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def url(serving: Serving) -> Iterator[str]:
    made = Gateway(serving.service, "127.0.0.1:0")
    made.start()
    yield f"http://127.0.0.1:{made.port}"
    made.stop()


@pytest.fixture
def http(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=PATIENCE, trust_env=False) as made:
        yield made


@pytest.fixture
def connect(url: str) -> Iterator[Connect]:
    made: list[OldClient] = []

    def connected(version: str, name: str) -> OldClient:
        made.append(OldClient(version, url, name))
        assert made[-1].connected
        return made[-1]

    yield connected
    for each in made:
        each.kill()


@pytest.fixture(autouse=True)
def tidy(serving: Serving, sentry: BoardSentry) -> Iterator[None]:
    before = sentry.answer
    yield
    sentry.answer, sentry.works, sentry.refuses = before, True, {}
    sentry.heal()
    for user in {row["user"] for row in serving.get("/boards/leases")["items"] if row["state"] != "ended"}:
        serving.admin.post("/api/v1/boards/leases/end-all", json={"user": user})
    serving.until(lambda: free(serving) == 4)
