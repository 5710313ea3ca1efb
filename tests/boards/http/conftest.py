"""A commander that serves, and a sentry of four boards that is there over MQTT."""

from collections.abc import Iterator

import pytest

from tests.boards.board_sentry import BoardSentry
from tests.boards.cli import Cli
from tests.boards.http.asking import API, free
from tests.commander.serving import Serving


@pytest.fixture(scope="module")
def sentry(serving: Serving) -> Iterator[BoardSentry]:
    """Four boards, one of them with a tag."""
    boards = {f"e66{n}": {"tags": ["sma"] if n == 3 else []} for n in range(4)}
    made = BoardSentry(serving, "bench", **boards)
    serving.until(lambda: free(serving) == 4)
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def tidy(serving: Serving, sentry: BoardSentry) -> Iterator[None]:
    yield
    for user in {row["user"] for row in serving.get("/boards/leases")["items"] if row["state"] != "ended"}:
        assert serving.admin.post(f"{API}/leases/end-all", json={"user": user}).status_code == 200
    serving.until(lambda: free(serving) == 4)


@pytest.fixture
def farmhand(serving: Serving) -> Iterator[Cli]:
    made = Cli(serving.url, serving.key("operator"))
    yield made
    made.close()
