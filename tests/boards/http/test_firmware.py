"""Boards by the firmware that their sentry has, over HTTP and from the command line."""

import pytest

from tests.boards.board_sentry import BoardSentry
from tests.boards.cli import Cli
from tests.boards.http.asking import API, boards, refused, reserved
from tests.commander.serving import Serving

pytestmark = pytest.mark.broker


def test_by_firmware(serving: Serving, sentry: BoardSentry, farmhand: Cli) -> None:
    assert boards(serving)["e660"]["firmwares"] == ["default@1", "pulse_count@1", "variance@1"]
    assert serving.get("/boards/available", firmware="variance")["count"] == 4
    assert serving.get("/boards/available", firmware="variance@2")["count"] == 0
    answer = serving.operator.post(f"{API}/leases", json={"kind": "pulsecount", "selector": {"firmware": "variance@2"}})
    assert refused(answer) == (422, "selector.firmware")
    assert "allowed: default@1, pulse_count@1, variance@1" in answer.json()["error"]["problem"]
    assert reserved(serving.operator, count=3, selector={"firmware": "default"})["state"] == "active"
    assert farmhand("available", "--firmware", "pulse_count@1") == "1 available: e663\n"
    assert "no sentry has blink" in farmhand("reserve", "--firmware", "blink", code=1)
    assert "active" in farmhand("reserve", "--firmware", "variance@1", "--kind", "variance")
