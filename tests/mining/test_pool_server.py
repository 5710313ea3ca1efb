"""`farmhand pool serve` as miners meet it: a process, and real sockets."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sentry.mining import duco_wire as wire
from tests.conftest import ROOT
from tests.mining.rig import CHIP, Miner, Pool, find
from tests.support.ports import free_ports

MakePool = Callable[..., Pool]


@contextmanager
def miner(pool: Pool) -> Iterator[Miner]:
    client = Miner(pool.port)
    try:
        yield client
    finally:
        client.close()


def result(nonce: int, hashrate: float = 200, rig: str = "rig") -> str:
    return f"{nonce},{hashrate},farmhand 4.3,{rig},{CHIP}"


def test_work_is_given_judged_and_counted(make_pool: MakePool) -> None:
    pool = make_pool("--difficulty", "AVR=7", "--motd", "hello miners")
    with miner(pool) as client:
        assert client.version == "3.0"
        assert client.ask("MOTD") == "hello miners"
        last, target, difficulty = client.job()
        assert difficulty == 7
        assert client.ask(result(find(last, target, 700))) == "GOOD"
        again = client.job()
        assert again[0] == target  # the chain goes on
        assert client.ask(result(0)) == f"BAD,{wire.INCORRECT_RESULT}"
        counted = pool.statistics()
        worker = counted["workers"]["me/rig"]
        assert (counted["jobs"], counted["accepted"], counted["refused"], counted["connections"]) == (2, 1, 1, 1)
        assert (worker["hashrate"], worker["chip"], worker["tier"]) == (200, CHIP, "AVR")
        assert worker["refused"] == {wire.INCORRECT_RESULT: 1}
        assert client.job("no such tier")[2] == 125_000  # NET


def test_a_line_without_end_as_the_official_miner_sends_it(make_pool: MakePool) -> None:
    with miner(make_pool()) as client:
        client.send("JOB,me,AVR,None")
        last, target, difficulty = client.line().split(",")
        client.send(result(find(last, target, 100 * int(difficulty))))
        assert client.line() == "GOOD"


def test_two_lines_in_one_write_and_one_in_two(make_pool: MakePool) -> None:
    with miner(make_pool()) as client:
        nonce = client.solved()
        client.send(result(nonce) + "\nJOB,me,A")
        assert client.line() == "GOOD"
        client.send("VR,None\n")
        assert client.line().count(",") == 2


def test_by_segment_the_second_of_two_lines_is_lost(make_pool: MakePool) -> None:
    with miner(make_pool("--by-segment")) as client:
        nonce = client.solved()
        client.send(result(nonce) + "\nJOB,me,AVR,None\n")
        assert client.line() == "GOOD"
        assert client.ask("STATS").startswith("{")  # no job came before it
        assert client.job()


@pytest.mark.parametrize(
    ("options", "user", "why"),
    [
        ((), "", wire.NO_USER),
        (("--ban", "mallory"), "mallory", wire.BANNED),
        (("--most-workers", "1"), "me", wire.TOO_MANY_WORKERS),
    ],
)
def test_who_gets_no_job(make_pool: MakePool, options: tuple[str, ...], user: str, why: str) -> None:
    pool = make_pool(*options)
    with miner(pool) as first, miner(pool) as second:
        assert first.job()
        assert second.ask(f"JOB,{user},AVR,None") == f"BAD,{why}"
        assert second.line() == ""


@pytest.mark.parametrize(
    ("options", "tier", "hashrate", "why"),
    [
        ((), "AVR", 0, wire.INVALID_DATA),
        (("--ladder",), "AVR", 3131, wire.TOO_LOW_START),
        (("--ladder",), "DUE", 3, wire.TOO_HIGH_START),
        (("--modified-pct", "15", "--delay-ms", "300"), "AVR", 1e9, wire.MODIFIED_HASHRATE),
    ],
)
def test_right_results_refused_for_their_hash_rate(
    make_pool: MakePool, options: tuple[str, ...], tier: str, hashrate: float, why: str
) -> None:
    with miner(make_pool(*options)) as client:
        given = time.monotonic()
        nonce = client.solved(tier)
        if "--modified-pct" in options:  # measured only from half a second on
            time.sleep(max(0, given + 1.2 - time.monotonic()))
        assert client.ask(result(nonce, hashrate)) == f"BAD,{why}"


def test_results_that_no_job_asked_for(make_pool: MakePool) -> None:
    with miner(make_pool()) as client:
        assert client.ask(result(7)) == f"BAD,{wire.INCORRECT_DATA}"
        nonce = client.solved()
        assert client.ask("JOB,me,AVR,None") == f"BAD,{wire.INCORRECT_DATA}"  # that was its answer
        assert client.ask(result(nonce)) == f"BAD,{wire.INCORRECT_DATA}"
        nonce = client.solved()
        assert client.ask(result(nonce)) == "GOOD"
        assert client.ask(result(nonce)) == f"BAD,{wire.INCORRECT_DATA}"  # not credited twice


def test_too_many_shares(make_pool: MakePool) -> None:
    with miner(make_pool("--shares-per-minute", "2")) as client:
        words = [client.ask(result(client.solved())) for _ in range(3)]
    assert words == ["GOOD", "GOOD", f"BAD,{wire.TOO_MANY_SHARES}"]


def test_blocks_are_found_now_and_then(make_pool: MakePool) -> None:
    with miner(make_pool("--block-every", "3", "--seed", "b", "--difficulty", "AVR=1")) as client:
        words = [client.ask(result(client.solved())) for _ in range(60)]
    assert 8 <= words.count("BLOCK") <= 35
    assert words.count("GOOD") + words.count("BLOCK") == 60


def test_the_same_seed_draws_the_same_jobs(make_pool: MakePool) -> None:
    def drawn(seed: str) -> list[tuple[str, str, int]]:
        with miner(make_pool("--seed", seed)) as client:
            jobs = []
            for _ in range(3):
                jobs.append(client.job())
                client.ask(result(0))
        return jobs

    assert drawn("one") == drawn("one") != drawn("two")


def test_silence_ends_a_connection(make_pool: MakePool) -> None:
    pool = make_pool("--first-timeout", "0.3", "--timeout", "0.6")
    with miner(pool) as client:
        began = time.monotonic()
        assert client.line() == ""
        assert time.monotonic() - began >= 0.3
    with miner(pool) as client:
        began = time.monotonic()
        assert client.job()
        assert client.line() == ""
        assert time.monotonic() - began >= 0.6


def test_answers_are_late_as_over_a_slow_network(make_pool: MakePool) -> None:
    with miner(make_pool("--delay-ms", "1000")) as client:
        nonce = client.solved()
        began = time.monotonic()
        client.send(result(nonce) + "\nJOB,me,AVR,None\n")
        assert client.line() == "GOOD"
        assert client.line().count(",") == 2
        assert 1 <= time.monotonic() - began < 1.9  # both at once, not one after the other


def test_the_ledger_outlives_a_kill(make_pool: MakePool, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    ledger.write_text('{"of another time')  # broken off
    pool = make_pool("--ledger", str(ledger), "--difficulty", "AVR=7")
    given: list[tuple[str, str, int, int]] = []
    for last_word in ("GOOD", f"BAD,{wire.INCORRECT_RESULT}"):
        with miner(pool) as client:
            last, target, difficulty = client.job()
            nonce = find(last, target, 100 * difficulty) if last_word == "GOOD" else 0
            assert client.ask(result(nonce)) == last_word
            pool.stop(signal.SIGKILL)
        pool.start()
        given.append((last, target, difficulty, nonce))
    lines = [json.loads(line) for line in ledger.read_text().splitlines()[1:]]
    assert [(each["last"], each["target"], each["difficulty"], each["nonce"]) for each in lines] == given
    assert [(each["verdict"], each["why"]) for each in lines] == [("GOOD", ""), ("BAD", wire.INCORRECT_RESULT)]
    for each in lines:
        assert abs(each["ts"] - time.time() * 1000) < 60_000
        assert (each["worker"], each["chip"], each["tier"], each["hashrate"]) == ("me/rig", CHIP, "AVR", 200)


def test_a_share_that_cannot_be_written_down_is_not_judged(make_pool: MakePool) -> None:
    pool = make_pool("--ledger", "/dev/full")
    with miner(pool) as client:
        assert client.ask(result(client.solved())) == ""
    assert pool.statistics()["accepted"] == 0


def test_a_hundred_miners_at_once(make_pool: MakePool) -> None:
    pool = make_pool("--difficulty", "AVR=1")
    miners = [Miner(pool.port) for _ in range(100)]
    try:
        for round_ in range(3):
            for each in miners:
                each.send("JOB,me,AVR,None\n")
            for number, each in enumerate(miners):
                last, target, difficulty = each.line().split(",")
                each.send(result(find(last, target, 100 * int(difficulty)), rig=f"r{number}") + "\n")
            assert {each.line() for each in miners} == {"GOOD"}, round_
        counted = pool.statistics()
        assert (counted["accepted"], counted["connections"], len(counted["workers"])) == (300, 100, 100)
    finally:
        for each in miners:
            each.close()


def test_noise_is_survived(make_pool: MakePool) -> None:
    pool = make_pool()
    for noise in ("\x00é" * 50, "x" * 5000, "\n" * 1000, "JOB" + "," * 50 + "\n", "GET / HTTP/1.1\r\n\r\n"):
        client = Miner(pool.port)
        client.send(noise)
        client.close()
    with miner(pool) as client:
        assert client.job()


def farmhand(*arguments: str) -> "subprocess.CompletedProcess[str]":
    argv = [sys.executable, "-m", "farmhand", "pool", *arguments]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_command_line(make_pool: MakePool) -> None:
    pool = make_pool()
    with miner(pool) as client:
        client.ask(result(client.solved()))
    answer = farmhand("stats", "--port", str(pool.port), "--json")
    assert json.loads(answer.stdout)["accepted"] == 1
    assert "me/rig" in farmhand("stats", "--port", str(pool.port)).stdout
    nobody = farmhand("stats", "--port", str(free_ports(1)[0]))
    assert nobody.returncode == 1
    assert "no pool of farmhand answers" in nobody.stderr
    taken = farmhand("serve", "--port", str(pool.port))
    assert taken.returncode == 1
    assert "cannot be listened on" in taken.stderr
    nowhere = farmhand("serve", "--ledger", "/nowhere/ledger")
    assert nowhere.returncode == 1
    assert "--ledger: /nowhere/ledger: cannot be written: No such file or directory" in nowhere.stderr
    for wrong in ("AVR", "AVR=0", "AVR=x", "avr=6"):
        refused = farmhand("serve", "--difficulty", wrong)
        assert refused.returncode == 1
        assert "--difficulty" in refused.stderr
        assert "AVR, MEGA" in refused.stderr
