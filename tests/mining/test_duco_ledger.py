"""The ledger: whatever comes in whatever order, a pool gets at most one result of a job, and nothing is forgotten."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from sentry.mining import duco_ledger
from sentry.mining.duco_ledger import Deliver, Job, Ledger, Pending, Share, Tell
from sentry.mining.duco_wire import Work

WORK = Work("a" * 40, "b" * 40, 10)
JOBS = st.sampled_from(["d-1", "d-2", "d-3", "d-4"])
STEPS = st.lists(st.tuples(st.sampled_from(["begin", "share", "give up", "good", "bad", "lose"]), JOBS), max_size=60)


@given(STEPS)
def test_a_pool_gets_one_result_of_a_job(steps: list[tuple[str, str]]) -> None:
    ledger, begun, delivered, settled = Ledger(), set[str](), Counter[str](), dict[str, str]()
    shared = set[str]()
    for step, job in steps:
        open_job = ledger.open.get(job)
        if step == "begin" and job not in begun | shared:
            begun.add(job)
            ledger.begin(Job(job, WORK, 0))
        elif step in ("share", "give up"):
            answer = ledger.take(Share(job, 7 if step == "share" else 0, 200))
            match answer:
                case Deliver():
                    delivered[job] += 1
                case Pending():
                    assert job in delivered
                    assert job not in settled
                case Tell(verdict):
                    assert verdict["word"] == settled.get(job, "LOST")
            shared.add(job)
        elif step in ("good", "bad") and open_job and open_job.nonce:
            settled[job] = ledger.judged(job, {"good": "GOOD", "bad": "BAD"}[step])["word"]
        elif step == "lose" and open_job:
            settled[job] = ledger.lose(job, "gone")["word"]
    assert all(count == 1 for count in delivered.values())
    figures = ledger.figures
    assert figures.jobs == len(begun) == len(settled) + len(ledger.open)
    assert figures.accepted == list(settled.values()).count("GOOD")
    assert figures.refused == list(settled.values()).count("BAD")
    unjudged = figures.jobs - figures.accepted - figures.refused - len(ledger.open)
    assert figures.void <= unjudged
    assert figures.lost >= unjudged - figures.void
    assert {job.id for job in ledger.waiting()} == {id_ for id_, job in ledger.open.items() if job.nonce is None}


def test_a_share_of_a_job_that_is_gone_is_lost_once_and_told_always() -> None:
    ledger = Ledger()
    ledger.begin(Job("d-1", WORK, 0))
    void = ledger.lose("d-1", "the pool closed the connection")
    assert (ledger.figures.void, ledger.figures.lost) == (1, 0)
    for _ in range(3):
        assert ledger.take(Share("d-1", 7, 200)) == Tell(void)
        assert ledger.take(Share("strange", 7, 200)) == Tell(
            {"id": "strange", "word": "LOST", "why": duco_ledger.UNKNOWN}
        )
    assert (ledger.figures.lost, ledger.figures.repeated) == (2, 4)


def test_what_was_sent_but_never_judged_is_lost() -> None:
    ledger = Ledger()
    ledger.begin(Job("d-1", WORK, 0))
    assert isinstance(ledger.take(Share("d-1", 7, 200)), Deliver)
    ledger.lose("d-1", "connection lost")
    assert (ledger.figures.void, ledger.figures.lost) == (0, 1)


def test_memory_is_bounded() -> None:
    ledger = Ledger()
    for n in range(3 * duco_ledger.REMEMBERED):
        ledger.take(Share(f"d-{n}", 7, 200))
    assert len(ledger.last_verdicts(10**6)) == duco_ledger.REMEMBERED
