"""Who may do what, asked of the real Mosquitto.

Mosquitto acknowledges what its ACL denies, so each check looks at what arrives: a fence message
that is allowed follows, and what has not come before it never comes.
"""

import pytest

from broker.passwords import hashed
from tests.broker.farm import RunningFarm

pytestmark = pytest.mark.broker

NODE_WRITES = [
    "state",
    "info",
    "tele/x",
    "data/x",
    "xdata/barn/x",
    "evt/x",
    "alert/x",
    "latest/x",
    "reported/x",
    "ack/x",
    "job/share",
    "job/result",
    "blob/get",
    "log",
]
NODE_READS = ["desired/x", "cmd/x", "stored", "job/offer", "blob/data"]
OWN, OTHER, ELSEWHERE = "farm/house/n1/self/", "farm/house/n2/self/", "farm/barn/n1/self/"


@pytest.fixture(scope="module")
def house(two: RunningFarm) -> RunningFarm:
    two.give(
        "house",
        [
            ("n1", "node", ["read farm/house/n2/+/data/+"]),
            ("n2", "node", []),
            ("t1", "token", []),
            ("looker", "reader", []),
        ],
    )
    return two


def written(farm: RunningFarm, user: str, topics: list[str]) -> list[str]:
    """Which of ``topics`` the broker takes from ``user``."""
    fence = {"t1": "farm/_/enrol/house/t1/req"}.get(user, f"farm/house/{user}/self/log")
    judge = farm.commander().subscribe("farm/#")
    writer = farm.client("house", user, user)
    for topic in topics:
        writer.publish(topic, b"probe")
    writer.publish(fence, b"fence")
    taken: list[str] = []
    judge.expect(lambda t, p: (p == b"probe" and taken.append(t)) or p == b"fence")
    judge.close()
    writer.close()
    return taken


def read(farm: RunningFarm, user: str, topics: list[str], fence: str) -> list[str]:
    """Which of ``topics`` arrive at ``user``, who subscribes to everything."""
    reader = farm.client("house", user, user).subscribe("#")
    # The steward may write anything of its domain, the commander the rest.
    steward, commander = farm.steward("house"), farm.commander()
    seen: list[str] = []
    for topic in [*topics, fence]:
        writer = steward if topic.startswith("farm/house/") else commander
        writer.publish(topic, b"fence" if topic == fence else b"probe")
    reader.expect(lambda t, p: (p == b"probe" and seen.append(t)) or p == b"fence")
    for client in (reader, steward, commander):
        client.close()
    return seen


def test_a_node_writes_its_own_words_only(house: RunningFarm) -> None:
    own = [OWN + rest for rest in NODE_WRITES]
    refused = [OTHER + rest for rest in (*NODE_WRITES, *NODE_READS)]
    refused += [ELSEWHERE + rest for rest in NODE_WRITES]
    refused += [OWN + rest for rest in NODE_READS]
    refused += ["farm/_/leader", "farm/_/enrol/house/t1/req", "farm/_/enrol/house/t1/res"]
    refused += ["farm/_/bridge/barn-house", "homeassistant/device/x/config", "else/where"]
    assert written(house, "n1", own + refused) == own


def test_a_node_reads_its_own_orders_and_grants_only(house: RunningFarm) -> None:
    allowed = [OWN + rest for rest in NODE_READS] + [OTHER + "data/x"]
    refused = [OTHER + rest for rest in NODE_READS] + [OTHER + "evt/x"]
    refused += [OWN + rest for rest in NODE_WRITES] + ["farm/_/enrol/house/t1/res"]
    assert read(house, "n1", allowed + refused, "farm/_/leader") == allowed


def test_a_token_has_its_enrolment_and_nothing_else(house: RunningFarm) -> None:
    refused = [f"farm/house/t1/self/{rest}" for rest in (*NODE_WRITES, *NODE_READS)]
    refused += [OWN + "state", "farm/_/leader", "farm/_/enrol/house/t2/req"]
    refused += ["farm/_/enrol/house/t1/res", "farm/_/enrol/barn/t1/req"]
    assert written(house, "t1", refused) == []
    others = ["farm/house/t1/self/cmd/x", OWN + "evt/x", "farm/_/leader"]
    others += ["farm/_/enrol/house/t2/res"]
    assert read(house, "t1", others, "farm/_/enrol/house/t1/res") == []


def test_a_reader_sees_what_is_public_and_writes_nothing(house: RunningFarm) -> None:
    public = "state info tele/x data/x xdata/barn/x evt/x alert/x latest/x reported/x ack/x stored"
    allowed = [OWN + rest for rest in public.split()]
    refused = [OWN + rest for rest in ["log", "desired/x", "cmd/x", "job/offer", "job/share", "blob/get"]]
    refused += ["farm/_/enrol/house/t1/res"]
    assert read(house, "looker", allowed + refused, "farm/_/leader") == allowed
    writer = house.client("house", "looker", "looker")
    judge = house.commander().subscribe("farm/#")
    for rest in NODE_WRITES:
        writer.publish(f"farm/house/looker/self/{rest}", b"probe")
        writer.publish(OWN + rest, b"probe")
    judge.publish("farm/_/leader", b"fence")
    taken: list[str] = []
    judge.expect(lambda t, p: (p == b"probe" and taken.append(t)) or p == b"fence")
    assert taken == []


def test_a_bridge_user_speaks_only_for_the_domains_behind_it(house: RunningFarm) -> None:
    judge = house.commander().subscribe("farm/#")
    password = house.secrets.bridges["barn-house"]
    bridge = house.client("house", "bridge-barn-house", password)
    for topic in (OWN + "state", "farm/barn/n1/self/desired/x", "farm/barn/n1/self/data/x",
                  "farm/_/leader", "farm/house/bridge-barn-house/self/state"):  # fmt: skip
        bridge.publish(topic, b"probe")
    bridge.publish(ELSEWHERE + "evt/x", b"fence")
    taken: list[str] = []
    judge.expect(lambda t, p: (p == b"probe" and taken.append(t)) or p == b"fence")
    assert taken == []


def test_wrong_password_unknown_user_and_anonymous_are_turned_away(house: RunningFarm) -> None:
    for user, password in (("n1", "wrong"), ("nobody", "n1"), ("", "")):
        with pytest.raises(AssertionError, match="ot authorized"):
            house.client("house", user, password)


def test_a_refused_message_does_not_cost_the_connection(house: RunningFarm) -> None:
    node = house.client("house", "n1", "n1")
    node.publish(OTHER + "state")
    node.publish(OWN + "log")
    assert not node.gone.is_set()


def test_a_password_hash_is_salted_and_of_fixed_form() -> None:
    assert hashed("secret") != hashed("secret")
    assert hashed("secret", b"salt") == hashed("secret", b"salt")
    assert hashed("secret", b"salt").startswith("$7$101$c2FsdA==$")
