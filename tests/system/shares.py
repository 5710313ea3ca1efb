"""What became of every share of a rig: what crossed the farm, against the ledger of the pool."""

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha1
from queue import Empty
from typing import Any

from tests.system.farm import Farm, wait_for

SURE_MS = 2000  # what was found so long before a fault must not be lost in it
JOB_MS = 90_000  # FARMHAND_POOL_JOB_S: `until` is so long after the job was given
TAKES_JOBS_ALONG = ("pool", "gateway")  # whose end ends the connections on which jobs were given


@dataclass
class Job:
    last: str
    target: str
    given: int  # ms
    word: str = ""  # the verdict of it


@dataclass
class Shares:
    """An observer at the broker at home. It hears each job that the gateway gives and, as the commander does, each
    event of the node: what was published while the node's own broker was dead comes out of its outbox later. A share
    was *found* when its `ts` says, which the node writes before it knows of any fault. Of a master at home, whose
    broker is the observer's, the events are in the history of its outbox."""

    farm: Farm
    master: str
    most_in_hand: int
    at_home: bool = False
    jobs: dict[str, Job] = field(default_factory=dict[str, Job])
    found: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    streams: dict[str, set[int]] = field(default_factory=dict[str, set[int]])
    faults: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    _judged: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    _read: int = 0  # bytes of the ledger

    def __post_init__(self) -> None:
        file = self.farm.file
        base = f"{file.root}/{self.farm.node(self.master)['domain']}/{self.master}"
        self._client = self.farm.as_commander().subscribe(f"{base}/#")

    def fault(self, part: str) -> int:
        """Note that ``part`` is hurt now; ms."""
        self.faults.append((part, time.time_ns() // 1_000_000))
        return self.faults[-1][1]

    def ledger(self) -> list[dict[str, Any]]:
        """What the pool has judged; without a line that a kill broke off, whose verdict nobody heard."""
        with (self.farm.state / "run" / "pool.jsonl").open("rb") as file:
            file.seek(self._read)
            whole = file.read().rpartition(b"\n")[0]
        self._judged += [json.loads(line) for line in whole.split(b"\n") if line.endswith(b"}")]
        self._read += len(whole) + 1 if whole else 0
        return self._judged

    def accepted(self, since_ms: int = 0) -> int:
        return sum(each["verdict"] == "GOOD" and each["ts"] > since_ms for each in self.ledger())

    def hear(self) -> None:
        """Take in what has come."""
        if self.at_home:
            for _, (topic, data) in self.farm.sentries[self.master].history().items():
                self._event(topic, data)
        while True:
            try:
                topic, payload, _ = self._client.messages.get_nowait()
            except Empty:
                return
            if topic.endswith("/job/offer"):
                self._offer(json.loads(payload))
            elif payload.startswith(b"{") and not self.at_home:
                self._event(topic, json.loads(payload))

    def check(self) -> int:
        """Every share found so far has come to rest, each as it should; how many the pool took."""
        self.hear()
        waited_for = dict(self.found)
        wait_for("verdicts of all shares", lambda: self._all_settled(waited_for))
        judged = list(self.ledger())
        assert [each for each in judged if each["verdict"] != "GOOD"] == []
        for each in judged:
            assert sha1(f"{each['last']}{each['nonce']}".encode()).hexdigest() == each["target"], each
        assert Counter(_work(each) for each in judged).most_common(1)[0][1] == 1, "credited twice"
        credited = {_work(each): each for each in judged}
        for job, share in waited_for.items():
            if job not in self.jobs:  # given before we listened
                continue
            line = credited.get((self.jobs[job].last, self.jobs[job].target))
            if line is None:
                assert self._may_be_lost(job), (share, self.jobs[job], self.faults)
            else:
                assert (line["nonce"], line["chip"]) == (share["nonce"], share["chip"])
        lost = [job for job, each in self.jobs.items() if each.word == "LOST"]
        assert [job for job in lost if not self._went_along(job)] == []
        open_ = [job for job, each in self.jobs.items() if job not in self.found and not each.word]
        assert len([job for job in open_ if not self._went_along(job)]) <= self.most_in_hand
        for numbers in self.streams.values():  # nothing went past us
            assert numbers == set(range(min(numbers), max(numbers) + 1))
        return len(judged)

    def _event(self, topic: str, data: dict[str, Any]) -> None:
        if "seq" in data:
            self.streams.setdefault(data["stream"], set()).add(data["seq"])
        if topic.endswith("/evt/gap"):  # a board's queue is short: what it gives up in an outage it declares
            self.streams.setdefault(data["stream"], set()).update(range(data["from"], data["to"] + 1))
        if topic.endswith("/job/share"):
            assert self.found.setdefault(data["id"], data) == data, "one job, two shares"

    def _offer(self, offer: dict[str, Any]) -> None:
        if job := offer.get("job"):
            self.jobs.setdefault(job["id"], Job(job["last"], job["target"], job["until"] - JOB_MS))
        if (verdict := offer.get("verdict")) and verdict["id"] in self.jobs:
            self.jobs[verdict["id"]].word = verdict["word"]

    def _all_settled(self, shares: dict[str, dict[str, Any]]) -> bool:
        self.hear()
        credited = {_work(each) for each in self.ledger()}
        open_ = [job for job in shares if job in self.jobs and not self.jobs[job].word and not self._may_be_lost(job)]
        return all((self.jobs[job].last, self.jobs[job].target) in credited for job in open_)

    def _may_be_lost(self, job: str) -> bool:
        """Its connection with the pool died, and it was not found long enough before that."""
        found = self.found[job]["ts"]
        return any(found > at - SURE_MS for at in self._went_along(job))

    def _went_along(self, job: str) -> list[int]:
        """Faults (ms) that may have ended the connection on which it was given."""
        return [at for part, at in self.faults if part in TAKES_JOBS_ALONG and self.jobs[job].given <= at]


def _work(line: dict[str, Any]) -> tuple[str, str]:
    return line["last"], line["target"]
