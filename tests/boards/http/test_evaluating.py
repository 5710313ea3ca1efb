"""`farmhand boards evaluate` with more than a sentry takes at once, and with one that forgets."""

import threading
from hashlib import sha256
from pathlib import Path

import pytest

from commander.evaluate_supply import MOST_OUT
from tests.boards.board_sentry import BoardSentry, count_of
from tests.boards.cli import Cli
from tests.boards.http.asking import reserved
from tests.commander.serving import Serving
from tests.support.waiting import wait_until

pytestmark = pytest.mark.broker


@pytest.fixture
def lease(serving: Serving, sentry: BoardSentry) -> str:
    return reserved(serving.operator, serials=["e660"])["id"]


def test_a_board_gets_one_and_then_some_at_a_time(serving: Serving, lease: str, farmhand: Cli, tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.bin" for number in range(2 * MOST_OUT)]
    for path in paths:
        path.write_bytes(path.name.encode())
    told = farmhand("evaluate", *map(str, paths), "--lease", lease)
    assert f"{len(paths)}/{len(paths)}" in told
    commands = serving.service.flow.farm["command"]
    sizes = [len(row["args"]["files"]) for row in commands.values() if row["args"].get("lease") == lease]
    assert (sizes[0], sum(sizes)) == (1, len(paths))
    assert max(sizes) <= MOST_OUT


def test_what_a_killed_sentry_forgot_is_evaluated_again(
    sentry: BoardSentry, lease: str, farmhand: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(_: str, digest: str) -> int | None:
        asked.append(digest)
        return count_of(digest) if len(asked) > 1 else None

    monkeypatch.setattr(sentry, "answer", answer)
    (tmp_path / "a.bin").write_bytes(b"lost")
    told: list[str] = []
    evaluating = threading.Thread(
        target=lambda: told.append(farmhand("evaluate", f"{tmp_path}/a.bin", "--lease", lease))
    )
    evaluating.start()
    wait_until("it is at the sentry", lambda: asked)
    sentry.event("e660", "initialized", lease, waiting=0)
    evaluating.join()
    assert f"a.bin: {count_of(sha256(b'lost').hexdigest())}" in told[0]
    assert len(asked) == 2
