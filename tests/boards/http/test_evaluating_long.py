"""`farmhand boards evaluate` when its lease is about to end, or ends, and when no commander answers for a while; all of
its results afterwards.
"""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from commander.effects import Add, Effects, Farm, Moment, Put
from tests.boards.board_sentry import BoardSentry
from tests.boards.cli import Cli
from tests.boards.http.asking import posted, reserved
from tests.commander.serving import Serving
from tests.support.waiting import PATIENCE, wait_until
from tests.system.relay import Relay

pytestmark = pytest.mark.broker


class Evaluating:
    """A command line that evaluates a file on boards which are at it until `answer`."""

    def __init__(self, serving: Serving, sentry: BoardSentry, path: Path) -> None:
        self._serving, self._sentry = serving, sentry
        self._path = path
        self._path.write_bytes(b"slow")
        self.said = ""

    def begin(self, farmhand: Cli, *words: str, code: int = 0) -> Any:
        """Its lease, once the sentry has the file."""
        before = set(self._serving.service.flow.farm["command"])

        def work() -> None:
            self.said = farmhand("evaluate", str(self._path), *words, code=code)

        self._thread = threading.Thread(target=work)
        self._thread.start()
        self._call = wait_until("the call", lambda: self._called(before))
        return self._serving.get(f"/boards/leases/{self._call['lease']}")

    def answer(self) -> None:
        lease, batch = self._call["lease"], self._call["args"]["batch"]
        for serial in self._call["serials"]:
            self._sentry.event(serial, "results", lease, batch=batch, results=[[self._call["files"][0]["name"], 7]])

    def end(self) -> str:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        return self.said

    def _called(self, before: set[str]) -> Any:
        rows = list(self._serving.service.flow.farm["command"].values())
        calls = [row["args"] for row in rows if row["id"] not in before and "method" in row["args"]]
        return calls[0] if calls else None


@pytest.fixture
def evaluating(serving: Serving, sentry: BoardSentry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Evaluating:
    monkeypatch.setattr(sentry, "answer", lambda *_: None)
    return Evaluating(serving, sentry, tmp_path / "a.bin")


@pytest.fixture
def relay(serving: Serving) -> Iterator[Relay]:
    made = Relay(urlsplit(serving.url).port or 80)
    yield made
    made.close()


def test_a_job_of_more_than_an_hour_keeps_its_boards(serving: Serving, evaluating: Evaluating, farmhand: Cli) -> None:
    lease = evaluating.begin(farmhand)["id"]

    def almost_over(farm: Farm, moment: Moment) -> tuple[int, Effects]:
        until = moment.now + 600_000
        row = {**farm["board_lease"][lease], "begun": until - 3_600_000, "until": until}
        return until, [Put("board_lease", lease, row)]

    until = serving.service.flow.ask(almost_over, "test").result(PATIENCE)
    wait_until("its extension", lambda: serving.get(f"/boards/leases/{lease}")["until"] > until)
    evaluating.answer()
    assert "a.bin: 7" in evaluating.end()


def test_with_its_lease_it_ends_and_says_why(serving: Serving, evaluating: Evaluating, farmhand: Cli) -> None:
    lease = evaluating.begin(farmhand, code=1)
    posted(serving.admin, f"/leases/{lease['id']}/end")
    assert f"{lease['boards'][0]['serial']}: its lease has ended (ended)" in evaluating.end()


def test_a_commander_that_is_away_for_a_while(serving: Serving, evaluating: Evaluating, relay: Relay) -> None:
    farmhand = Cli(f"http://127.0.0.1:{relay.port}", serving.key("operator"))
    lease = evaluating.begin(farmhand)["id"]
    relay.cut()
    evaluating.answer()
    serving.until(lambda: serving.get("/boards/results", lease=lease)["items"])
    relay.join()
    assert "a.bin: 7" in evaluating.end()
    assert serving.get(f"/boards/leases/{lease}")["state"] == "ended"
    farmhand.close()


def test_json_is_all_that_it_prints_while_it_waits_for_boards(
    serving: Serving, sentry: BoardSentry, evaluating: Evaluating, farmhand: Cli
) -> None:
    first = reserved(serving.admin, count=4)["id"]
    beginning = threading.Thread(target=lambda: evaluating.begin(farmhand, "--json"))
    beginning.start()
    wait_until("its wish", lambda: serving.get("/boards/leases", state="waiting")["items"])
    posted(serving.admin, f"/leases/{first}/end")
    beginning.join(PATIENCE)
    evaluating.answer()
    (line,) = evaluating.end().splitlines()
    assert json.loads(line)["value"] == 7


def test_all_of_a_batch_and_of_a_lease(serving: Serving, sentry: BoardSentry, farmhand: Cli) -> None:
    lease, other = (reserved(serving.operator)["id"] for _ in range(2))
    result = {"ts": 1, "lease": lease, "user": "", "batch": "b-large", "serial": "e660", "node": "bench", "value": 7}
    result |= {"problem": "", "cause": "", "gate_ms": None, "took_ms": None}
    event = {"ts": 1, "serial": "e660", "node": "bench", "lease": lease, "user": "", "what": "hello", "data": {}}
    rows: Effects = [Add("board_result", {**result, "evaluation": str(number)}) for number in range(2_100)]
    rows += [Add("board_history", event) for _ in range(2_100)]
    serving.service.flow.ask(lambda *_: (None, rows), "test").result(PATIENCE)
    answer = json.loads(farmhand("results", "--batch", "b-large", "--json"))
    assert [row["evaluation"] for row in answer["items"]] == [str(number) for number in reversed(range(2_100))]
    assert answer["next"] is None
    assert len(json.loads(farmhand("results", "--lease", lease, "--limit", "1500", "--json"))["items"]) == 1_500
    told = json.loads(farmhand("history", "--lease", lease, "--json"))["items"]
    assert [row["what"] for row in told].count("hello") == 2_100
    assert len(json.loads(farmhand("history", "--lease", other, "--json"))["items"]) < 10


def test_no_idle_time_at_all_is_refused(sentry: BoardSentry, farmhand: Cli) -> None:
    assert "idle_s" in farmhand("reserve", "--idle", "0", code=1)
