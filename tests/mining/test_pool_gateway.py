"""The gateway between a real broker, a real pool, and a node that really hashes."""

import signal
import time
from collections.abc import Callable
from itertools import pairwise
from statistics import median
from typing import Any

import pytest

from tests.mining.rig import Node, Pool, finder
from tests.sentry.rig import HouseBroker, Peer
from tests.support.waiting import wait_until

pytestmark = pytest.mark.broker

Make = Callable[..., Any]


def credited_once(pool: Pool, node: Node, since: float = 0) -> None:
    """The pool credits what the node knows to be good, of the jobs offered since then, and refuses nothing."""

    def agree() -> bool:
        counted = pool.statistics()
        assert counted["refused"] == 0, counted
        offered = node.offered()
        good = {job for job in node.words("GOOD") | node.words("BLOCK") if offered[job] > since}
        return counted["accepted"] == len(good)

    wait_until("the same count on both sides", agree)


@pytest.mark.parametrize("connections", [1, 2])
def test_200_shares_without_a_bad_one(
    make_pool: Make, make_gateway: Make, make_node: Make, commander: Peer, connections: int
) -> None:
    pool = make_pool("--block-every", "20", "--seed", "a")
    node = make_node(3, copies=2)
    make_gateway(pool, connections=connections)
    node.judged(200)
    told = commander.expect("/rig1/self/tele/pool", lambda data: data["accepted"] >= 200)
    assert (told["workers"], told["present"], told["refused"], told["lost"]) == (3, 3, 0, 0)
    assert told["repeated"] > 0  # each share came twice
    assert told["blocks"] > 0
    one = commander.expect("/rig1/esp-1_avr-8/tele/pool")
    assert one["pool"] == pool.place
    assert one["tier"] == "AVR"
    assert len(one["server"]) == connections
    assert one["verdict_ms"] > 0
    node.rest()
    credited_once(pool, node)
    assert len(node.words("BLOCK")) >= told["blocks"]
    assert max(device.most_in_hand for device in node.devices.values()) == connections


def test_a_pool_killed_and_restarted(make_pool: Make, make_gateway: Make, make_node: Make, commander: Peer) -> None:
    pool = make_pool()
    node = make_node(2)
    make_gateway(pool)
    node.judged(50)
    pool.stop(signal.SIGKILL)
    killed = time.monotonic()
    alert = commander.expect("/rig1/self/alert/pool", bool)
    assert pool.place in alert["text"]
    pool.start()
    assert commander.expect("/rig1/self/alert/pool", lambda data: not data) == ""
    before = len(node.words("GOOD"))
    node.judged(before + 50)
    node.rest()
    credited_once(pool, node, killed)
    assert not node.words("GOOD") & node.words("LOST")


def test_a_broker_killed_and_restarted(
    make_pool: Make, make_gateway: Make, make_node: Make, broker: HouseBroker
) -> None:
    pool = make_pool()
    node = make_node(2)
    make_gateway(pool, connections=2)
    node.judged(50)
    broker.stop(signal.SIGKILL)
    broker.start()
    node.judged(len(node.words("GOOD")) + 50)
    node.rest()
    credited_once(pool, node)
    assert not node.words("LOST")  # the pool's connections stood, so what was found meanwhile still counts


def test_a_share_for_a_connection_that_is_gone(
    make_pool: Make, make_gateway: Make, make_node: Make, commander: Peer
) -> None:
    pool = make_pool()
    node = make_node(1, hashrate=0.001)  # too slow to find anything
    make_gateway(pool)
    wait_until("a job", node.offered)
    (job,) = node.offered()
    pool.stop(signal.SIGKILL)
    wait_until("the job to be void", lambda: node.words("LOST") == {job})
    assert "connection" in node.devices["avr-8"].verdicts[job][0]["why"]
    node.share("avr-8", job, 7)
    yesterday = job.split("-")[0] + "-0123456789ab"
    node.share("avr-8", yesterday, 7)
    node.share("avr-8", "other-0123456789ab", 7)  # of another gateway, which may well want it
    told = commander.expect("/rig1/self/tele/pool", lambda data: data["lost"] == 2)
    assert (told["void"], told["accepted"]) == (1, 0)
    wait_until("the reason", lambda: node.words("LOST") == {job, yesterday})
    node.share("avr-8", job, 7)
    told = commander.expect("/rig1/self/tele/pool", lambda data: data["repeated"] > told["repeated"])
    assert told["lost"] == 2


def test_a_gateway_that_stops_gives_its_jobs_back(make_pool: Make, make_gateway: Make, make_node: Make) -> None:
    pool = make_pool()
    node = make_node(2, hashrate=0.001)
    gateway = make_gateway(pool, connections=2)
    wait_until("the jobs", lambda: len(node.offered()) == 4)
    assert gateway.stop() == 0
    wait_until("all jobs to be void", lambda: node.words("LOST") == set(node.offered()))
    assert node.devices["avr-8"].verdicts.popitem()[1][0]["why"] == "the gateway stops"


def test_a_worker_that_was_reset_gets_its_job_again(
    make_pool: Make, make_gateway: Make, make_node: Make, commander: Peer
) -> None:
    pool = make_pool()
    node = make_node(1, hashrate=0.001)
    make_gateway(pool)
    first = commander.expect("/avr-8/job/offer")["job"]
    node.say("lost", "avr-8")
    assert commander.expect("/rig1/esp-1_avr-8/tele/pool", lambda data: not data["present"])
    node.say("ready", "avr-8")
    assert commander.expect("/avr-8/job/offer")["job"] == first
    node.share("avr-8", first["id"], 0)  # it has forgotten what it did
    assert commander.expect("/avr-8/job/offer", lambda data: "verdict" in data)["verdict"]["word"] == "LOST"
    assert commander.expect("/avr-8/job/offer")["job"]["id"] != first["id"]
    assert pool.statistics()["refused"] == 0  # a share that was never found is no BAD one


def test_a_pool_that_takes_each_write_for_one_message(make_pool: Make, make_gateway: Make, make_node: Make) -> None:
    pool = make_pool("--by-segment")
    node = make_node(2)
    gateway = make_gateway(pool, join_wait_s=0.5)
    node.judged(30)
    node.rest()
    credited_once(pool, node)
    assert "asking apart" in gateway.log()


def test_the_next_pool_is_tried(make_pool: Make, make_gateway: Make, make_node: Make) -> None:
    gone, pool = Pool(), make_pool()
    node = make_node(2)
    make_gateway(gone, pool)
    node.judged(10)
    assert pool.statistics()["accepted"] >= 10


@pytest.mark.parametrize("answers", [True, False])
def test_a_finder_names_the_pool(make_pool: Make, make_gateway: Make, make_node: Make, answers: bool) -> None:
    best, listed = make_pool(), make_pool()
    with finder({"ip": "127.0.0.1", "port": best.port, "name": "best"} if answers else {}) as url:
        node = make_node(1)
        make_gateway(listed, finder=url)
        node.judged(5)
    assert (best if answers else listed).statistics()["accepted"] >= 5
    assert (listed if answers else best).statistics()["accepted"] == 0


def test_a_pool_that_does_not_want_us(make_pool: Make, make_gateway: Make, make_node: Make, commander: Peer) -> None:
    pool = make_pool("--ban", "farmhand")
    node = make_node(1)
    make_gateway(pool)
    alert = commander.expect("/rig1/self/alert/pool", bool)
    assert alert["text"] == f"esp-1 avr-8: pool {pool.place}: User banned"
    pool.stop()
    pool.options = ("--shares-per-minute", "0")  # or it soon refuses this fast a node for another reason
    pool.start()
    assert commander.expect("/rig1/self/alert/pool", lambda data: not data) == ""
    node.judged(1)


def test_shares_refused_one_after_the_other_raise_an_alert(
    make_pool: Make, make_gateway: Make, make_node: Make, commander: Peer
) -> None:
    node = make_node(1, hashrate=0.001)
    make_gateway(make_pool())
    for _ in range(5):
        job = commander.expect("/avr-8/job/offer", lambda data: "job" in data)["job"]
        node.share("avr-8", job["id"], 1_000_000)
    alert = commander.expect("/rig1/self/alert/pool", bool)
    assert "refuses share after share: Incorrect result" in alert["text"]
    assert len(node.words("BAD")) >= 4  # the last is told with the next job


def test_the_pool_moves_a_fast_worker_up_the_ladder(
    make_pool: Make, make_gateway: Make, make_node: Make, commander: Peer
) -> None:
    pool = make_pool("--ladder", "--difficulty", "MEGA=11", "--difficulty", "ARM=12", "--difficulty", "DUE=13")
    node = make_node(1, hashrate=3_131)
    make_gateway(pool)
    told = commander.expect("/rig1/esp-1_avr-8/tele/pool", lambda data: data["accepted"] >= 3)
    assert (told["tier"], told["difficulty"], told["refused"]) == ("DUE", 13, 3)
    assert {each["why"] for heard in node.devices["avr-8"].verdicts.values() for each in heard if "why" in each} == {
        "Too low starting difficulty"
    }


def test_a_job_beyond_the_workers_is_not_handed_on(
    make_pool: Make, make_gateway: Make, make_node: Make, commander: Peer
) -> None:
    pool = make_pool("--difficulty", "MEGA=656")
    node = make_node(1)
    make_gateway(pool, tier="MEGA")
    node.judged(5)
    assert commander.expect("/rig1/esp-1_avr-8/tele/pool", lambda data: data["accepted"] >= 5)["tier"] == "AVR"


def test_no_more_shares_a_minute_than_agreed(
    make_pool: Make, make_gateway: Make, make_node: Make, commander: Peer
) -> None:
    pool = make_pool("--shares-per-minute", "20")
    make_node(1)
    make_gateway(pool, shares_per_minute=20)
    told = commander.expect("/rig1/esp-1_avr-8/tele/pool", lambda data: data["paced_ms"] > 30_000)
    assert (told["accepted"], told["refused"], told["jobs"]) == (20, 0, 20)  # none is held back


@pytest.mark.parametrize(("connections", "least", "most"), [(1, 0, 0.95), (2, 0.9, 1)])
def test_a_slow_pool(
    make_pool: Make, make_gateway: Make, make_node: Make, connections: int, least: float, most: float
) -> None:
    """700 ms for each answer, and a worker as fast as the seed's: with two connections a job is always in hand."""
    pool = make_pool("--delay-ms", "700", "--seed", "slow")
    node: Node = make_node(1, hashrate=194)
    make_gateway(pool, connections=connections)
    node.judged(10)
    device = node.devices["avr-8"]
    times = sorted(device.begun.values())[connections:]
    busy = sum(end - begin for begin, end in times) / (times[-1][1] - times[0][0])
    gaps = [later[0] - earlier[1] for earlier, later in pairwise(times)]
    assert least <= busy <= most, (busy, gaps)
    if connections == 1:
        assert median(gaps) < 1.05  # one round trip, not two
    assert pool.statistics()["refused"] == 0
