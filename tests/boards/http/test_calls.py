"""Calls of boards, of which some cannot take them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.boards.board_sentry import BoardSentry
from tests.boards.cli import Cli
from tests.boards.http.asking import API, boards, free, posted, refused, reserved, user
from tests.commander.serving import Serving

pytestmark = pytest.mark.broker

CALL = {"method": "evaluate", "args": {"batch": "b-1"}}


@pytest.fixture
def other(serving: Serving, sentry: BoardSentry) -> Iterator[BoardSentry]:
    made = BoardSentry(serving, "other", e670={"type": "other"})
    serving.until(lambda: free(serving) == 5)
    yield made
    made.is_("lost")
    made.stop()


@pytest.fixture(autouse=True)
def usable(sentry: BoardSentry) -> Iterator[None]:
    yield
    sentry.refuses = {}


def test_whoever_can_takes_the_call_and_the_others_say_why_not(
    serving: Serving, sentry: BoardSentry, other: BoardSentry
) -> None:
    ann = user(serving, "ann")
    lease = reserved(ann, serials=["e660", "e661", "e670"])["id"]
    serving.until(lambda: len(boards(serving, state="leased")) == 3)
    path = f"/leases/{lease}/call"
    sentry.refuses = {"e661": "not-usable"}
    told = posted(ann, path, **CALL)
    assert told["answers"] == {"e660": 1, "e670": 1}
    assert told["problems"] == {"e661": "e661 takes no calls"}
    assert told["codes"] == {"e661": "not-usable"}
    # A sentry of which no board can.
    other.refuses = {"e670": "unknown-board"}
    told = posted(ann, path, **CALL)
    assert told["answers"] == {"e660": 1}
    assert told["problems"]["e670"] == "other: refused: e670 takes no calls"
    assert told["codes"] == {"e661": "not-usable", "e670": "unknown-board"}
    answer = ann.post(f"{API}{path}", json={**CALL, "serials": ["e661", "e670"]})
    assert refused(answer) == (409, "call")


@pytest.mark.parametrize("spread", [False, True])
def test_the_command_line_evaluates_on_those_that_can(
    spread: bool, sentry: BoardSentry, farmhand: Cli, tmp_path: Path
) -> None:
    for number in range(5):
        (tmp_path / f"{number}.bin").write_bytes(str(number).encode())
    files = [str(path) for path in sorted(tmp_path.iterdir())]
    sentry.refuses = {"e661": "not-usable"}
    words = "evaluate", *files, "--boards", "4", "--json"
    if spread:
        found = [json.loads(line) for line in farmhand(*words, "--spread").splitlines() if line.startswith("{")]
        assert len(found) == 5
        assert {row["serial"] for row in found} == {"e660", "e662", "e663"}
    else:
        assert "e661: e661 takes no calls" in farmhand(*words, code=1)
    sentry.refuses = dict.fromkeys(sentry.boards, "not-usable")
    assert "takes no calls" in farmhand(*words, code=1)
