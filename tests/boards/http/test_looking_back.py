"""What was told days ago, and serials in whatever case."""

from typing import Any

import pytest

from tests.boards import board_sentry
from tests.boards.board_sentry import BoardSentry
from tests.boards.cli import Cli
from tests.boards.http.asking import API, posted, reserved, user
from tests.commander.api import now_ms
from tests.commander.serving import Serving

pytestmark = pytest.mark.broker

OLD_MS = 3 * 86_400_000


@pytest.fixture
def lease(serving: Serving, sentry: BoardSentry, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of e660, which gave a result three days ago."""
    lease = reserved(serving.operator, serials=["e660"])["id"]
    with monkeypatch.context() as then:
        then.setattr(board_sentry, "now_ms", lambda: now_ms() - OLD_MS)
        sentry.event("e660", "results", lease, batch=f"b-{lease}", results=[["old", 7]])
        sentry.event("e660", "hello", lease)
    serving.until(lambda: "hello" in whats(serving, lease=lease, since=0))
    return lease


def whats(serving: Serving, **query: Any) -> list[str]:
    return [row["what"] for row in serving.get("/boards/history", **query)["items"]]


def values(serving: Serving, **query: Any) -> list[int]:
    return [row["value"] for row in serving.get("/boards/results", **query)["items"]]


def test_all_of_a_lease_or_batch_is_told_unless_a_time_is_asked_for(
    serving: Serving, lease: str, farmhand: Cli
) -> None:
    for query in ({"lease": lease}, {"batch": f"b-{lease}"}):
        assert values(serving, **query) == [7]
        assert values(serving, **query, since=now_ms() - OLD_MS // 2) == []
    assert values(serving, serial="e660") == [], "of the last day"
    assert "hello" in whats(serving, lease=lease)
    assert "hello" not in whats(serving, lease=lease, since=now_ms() - OLD_MS // 2)
    assert "hello" not in whats(serving, serial="e660")
    assert "old: 7" in farmhand("results", "--lease", lease)
    assert "hello" in farmhand("history", "--lease", lease)


def test_a_serial_may_be_written_in_any_case(serving: Serving, sentry: BoardSentry, lease: str) -> None:
    ann = user(serving, "ann")
    assert posted(serving.operator, "/E660/do", do="reboot")["status"] == "done"
    sentry.consoles["e660"].note("here")
    assert serving.operator.get(f"{API}/E660/console").json()["lines"]
    assert "begun" in [row["what"] for row in ann.get(f"{API}/E660/history").json()["items"]]
    assert "begun" in whats(serving, serial="E660")
    assert values(serving, serial="E660", since=0)
