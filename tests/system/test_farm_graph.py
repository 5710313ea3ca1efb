"""Four domains with a cycle, a gateway and a one-way link: every message arrives once where it should, nowhere else.

    house <-> gate <-> barn <-> shed -> house        (home: house)

So shed reports by one hop and hears over three; barn is two hops away, through the gateway both ways.
"""

import os
import signal
from collections import Counter
from collections.abc import Iterator

import pytest

from broker.passwords import hashed
from broker.users import User
from tests.broker.farm import Client
from tests.system.farm import Farm, wait_for
from tests.system.ledger import each_exactly_once, everything_stored

pytestmark = [pytest.mark.broker, pytest.mark.micropython]

GRAPH = """
[domains.house]
home = true
port = {}
[domains.gate]
port = {}
[domains.barn]
port = {}
[domains.shed]
port = {}
[[links]]
a = "gate"
b = "house"
[[links]]
a = "barn"
b = "gate"
[[links]]
a = "shed"
b = "barn"
[[links]]
a = "shed"
b = "house"
flow = "a-to-b"
[commander]
http = "127.0.0.1:{}"
"""
UP = {"house": "house", "gate": "gate house", "barn": "barn gate house", "shed": "shed house"}
DOWN = {"house": "house", "gate": "house gate", "barn": "house gate barn", "shed": "house gate barn shed"}
REPORTS = ("tele/probe", "evt/probe", "ack/probe", "latest/probe", "alert/probe", "reported/probe", "log", "job/share")
ORDERS = ("desired/probe", "cmd/probe", "job/offer", "blob/data", "stored")


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    with Farm(tmp_path_factory.mktemp("graph") / "state", GRAPH).up() as farm:
        watcher = User("watcher", hashed("watcher"), "reader", ("read farm/#",))
        for domain in UP:
            farm.install(domain, lambda text: text, [watcher])
        for domain in UP:
            farm.enrol(domain, f"at-{domain}")
        yield farm


def test_enrolment_and_events_work_from_everywhere(farm: Farm) -> None:
    """The sentries were enrolled through real tokens, also from the farthest domain."""
    senders = [farm.sentries[f"at-{domain}"] for domain in UP]
    for load in [sentry.emit(200, 0) for sentry in senders]:
        assert load.wait(60) == 0
    everything_stored(farm, senders)
    assert each_exactly_once(farm, senders) >= 200 * len(senders)
    for sentry in senders:
        row = farm.api.post(f"/nodes/{sentry.name}/commands", {"name": "ping", "args": {}, "timeout_s": 30})
        wait_for(f"{sentry.name} answers", lambda row=row: farm.api.get(f"/commands/{row['id']}")["status"] == "done")


def test_every_message_arrives_once_where_it_should(farm: Farm) -> None:
    watchers = {domain: farm.client(domain, "watcher", "watcher").subscribe("farm/#") for domain in UP}
    expected: Counter[tuple[str, str]] = Counter()  # (domain, topic)
    for domain, path in UP.items():
        node = farm.as_node(f"at-{domain}")
        own = f"farm/{domain}/at-{domain}/self/"
        for rest in REPORTS:
            node.publish(own + rest, b"probe")
            expected.update((each, own + rest) for each in path.split())
        node.publish(own + "data/probe", b"probe")
        expected[domain, own + "data/probe"] += 1
    commander = farm.as_commander()
    for domain, path in DOWN.items():
        for rest in ORDERS:
            topic = f"farm/{domain}/at-{domain}/self/{rest}"
            commander.publish(topic, b"probe")
            expected.update((each, topic) for each in path.split())
    fences(farm, watchers, expected)


def test_frames_for_another_domain_arrive_there_once(farm: Farm) -> None:
    watchers = {domain: farm.client(domain, "watcher", "watcher").subscribe("farm/#") for domain in UP}
    ends: Counter[tuple[str, str]] = Counter()
    for start in UP:
        node = farm.as_node(f"at-{start}")
        for end in UP:
            if end != start:
                topic = f"farm/{start}/at-{start}/self/xdata/{end}/probe"
                node.publish(topic, b"probe")
                ends[start, topic] += 1
                ends[end, topic] += 1
    got = fences(farm, watchers, None)
    assert max(got.values()) == 1
    assert not ends - got
    # Between begin and end they cross at most one domain here, and none twice.
    assert sum(got.values()) <= sum(ends.values()) + 6


def fences(
    farm: Farm, watchers: dict[str, Client], expected: "Counter[tuple[str, str]] | None"
) -> "Counter[tuple[str, str]]":
    """What the watchers saw of the probes. Each link keeps the order, so what is behind a fence is complete.

    A frame may take a way that no fence takes; three rounds of fences, each begun when the last is over, outlast it.
    """
    got: Counter[tuple[str, str]] = Counter()
    for round_ in range(3):
        mark = f"fence-{round_}".encode()
        commander = farm.as_commander()
        for domain in UP:
            farm.as_node(f"at-{domain}").publish(f"farm/{domain}/at-{domain}/self/log", mark)
            commander.publish(f"farm/{domain}/at-{domain}/self/blob/data", mark)
        for domain, watcher in watchers.items():
            awaited = {f"farm/{each}/at-{each}/self/log" for each, path in UP.items() if domain in path.split()}
            awaited |= {
                f"farm/{each}/at-{each}/self/blob/data" for each, path in DOWN.items() if domain in path.split()
            }
            while awaited:
                topic, payload, _ = watcher.messages.get(timeout=30)
                if payload == b"probe":
                    got[domain, topic] += 1
                elif payload == mark:
                    awaited.discard(topic)
    assert expected is None or got == expected, {"missing": expected - got, "too much": got - expected}
    return got


def test_a_node_that_dies_with_its_broker_is_not_shown_as_ready(farm: Farm) -> None:
    """Nobody publishes its will: the broker that kept it is gone, and `ready` stays retained."""
    sentry = farm.sentries["at-barn"]
    assert farm.node("at-barn")["presence"] == "ready"
    os.kill(farm.mosquitto("barn"), signal.SIGKILL)
    sentry.kill()
    wait_for("not ready", lambda: farm.node("at-barn")["presence"] != "ready")
    seen = []

    def lost() -> bool:
        seen.append(farm.node("at-barn")["presence"])
        return seen[-1] == "lost"

    wait_for("lost, also once the broker is back", lost)
    assert "ready" not in seen
    # The word that it left behind still says otherwise.
    farm.as_commander().subscribe("farm/barn/at-barn/self/state").expect(lambda _, payload: payload == b"ready")
