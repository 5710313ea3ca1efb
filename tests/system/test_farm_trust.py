"""What a node may not do on its broker, and what no node obeys: with real credentials, real signatures."""

import base64
import itertools
import json
import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schema import fleet, trust
from schema.topics import build
from tests.system.conftest import LinkedFarm
from tests.system.farm import wait_for

pytestmark = [pytest.mark.broker, pytest.mark.micropython]

FORBIDDEN = (
    "farm/barn/barn-2/self/evt/test",
    "farm/barn/barn-2/self/state",
    "farm/barn/barn-2/self/desired/settings",
    "farm/barn/barn-2/self/cmd/restart",
    "farm/barn/steward-barn/self/desired/credentials",
    "farm/barn/{me}/self/desired/settings",
    "farm/barn/{me}/self/cmd/restart",
    "farm/barn/{me}/self/stored",
    "farm/house/{me}/self/evt/test",
    "farm/house/host/self/evt/test",
    "farm/_/leader",
    "farm/_/bridge/barn-house",
    "farm/_/enrol/barn/t-1/req",
    "homeassistant/device/x/config",
    "elsewhere",
)
_numbers = itertools.count()


class Signer:
    """Seals commands for one node as the commander would; `epoch` is the one it has seen."""

    def __init__(self, farm: LinkedFarm, node: str) -> None:
        self.farm, self.node = farm, node
        self.domain = farm.node(node)["domain"]
        self.epoch = self._epoch()
        private = base64.b64decode(farm.secrets["ed25519"]["private"])
        self.sign: Callable[[bytes], bytes] = Ed25519PrivateKey.from_private_bytes(private).sign
        if node == "esp-1":
            key = json.loads((farm.state / "node" / node / "credential.json").read_text())["verify"]
            self.sign = lambda text: trust.hmac_sha256(base64.b64decode(key), text)

    def topic(self, name: str, node: str = "") -> str:
        return build(fleet.CMD, "farm", self.domain, node or self.node, name=name)

    def sealed(self, topic: str, **change: Any) -> bytes:
        body = {"id": f"x-{time.time_ns()}-{next(_numbers)}", "exp": _now() + 60_000, "epoch": self.epoch, "args": {}}
        return trust.seal(fleet.CMD, topic, body | change, self.sign)

    def _epoch(self) -> int:
        home = self.farm.as_commander().subscribe("farm/_/leader")
        leader = json.loads(home.expect(lambda topic, _: topic == "farm/_/leader"))
        return int(json.loads(leader["body"])["epoch"])


def _now() -> int:
    return time.time_ns() // 1_000_000


def ping(farm: LinkedFarm, node: str) -> None:
    """A command by the farm's own way, until it is done."""
    row = farm.api.post(f"/nodes/{node}/commands", {"name": "ping", "args": {}, "timeout_s": 30})
    wait_for(f"ping of {node}", lambda: farm.api.get(f"/commands/{row['id']}")["status"] == "done")


def refusals(farm: LinkedFarm, node: str) -> list[tuple[str, str]]:
    """What the node refused, newest first; not that the commander never sent the commands which the test signed."""
    return [each for each in farm.dead_letters(node) if each[1] != "no command of that id was sent to this node"]


@pytest.mark.parametrize("me", ["barn-1", "esp-1"])
def test_a_node_writes_only_its_own_words(farm: LinkedFarm, me: str) -> None:
    watchers = [farm.as_steward("barn").subscribe("farm/barn/#"), farm.as_commander().subscribe("farm/#")]
    node = farm.as_node(me)
    for topic in FORBIDDEN:
        node.publish(topic.format(me=me), b"forged")
    node.publish(f"farm/barn/{me}/self/log", json.dumps({"ts": 0, "level": "info", "text": f"fence {me}"}))
    for watcher in watchers:
        seen = watcher.expect(lambda _, payload: payload == b"forged" or f"fence {me}".encode() in payload)
        assert seen != b"forged"


def test_a_node_reads_only_what_is_for_it(farm: LinkedFarm) -> None:
    me = farm.as_node("barn-1")
    me.subscribe("#", "farm/barn/esp-1/self/cmd/+", "farm/barn/+/self/desired/+", "farm/_/enrol/#", "$SYS/#")
    ping(farm, "esp-1")
    ping(farm, "barn-2")
    farm.api.put("/nodes/barn-2/desired/settings", {"data": {"interval_s": 9}})
    ping(farm, "barn-1")  # the fence: it comes the same way, after the others
    own = "farm/barn/barn-1/self/"
    foreign = [topic for topic in me.until(f"{own}cmd/ping") if not topic.startswith(own) and topic != "farm/_/leader"]
    assert not foreign


@pytest.mark.parametrize("node", ["host", "barn-1", "esp-1"])
def test_no_node_obeys_a_command_that_is_not_in_order(farm: LinkedFarm, node: str) -> None:
    ping(farm, node)
    signer, home = Signer(farm, node), farm.as_commander()
    topic = signer.topic("ping")
    replayed = signer.sealed(topic)
    unsigned = json.dumps({"sig": base64.b64encode(bytes(64)).decode(), "body": json.loads(replayed)["body"]}).encode()
    desired = build(fleet.DESIRED, "farm", signer.domain, node, name="settings")
    wrong: list[tuple[str, bytes, str, str]] = [
        (topic, unsigned, "sig", "does not fit"),
        (topic, signer.sealed(signer.topic("ping", "other-1")), "sig", "does not fit"),  # signed for another node
        (topic, b'{"id": "x", "args": {}}', "", ""),  # no envelope at all
        (desired, unsigned, "sig", "does not fit"),
        (topic, signer.sealed(topic, exp=_now() - 1000), "exp", "passed"),
        (topic, signer.sealed(topic, epoch=signer.epoch - 1), "epoch", "is older than"),
    ]
    answer = f"farm/{signer.domain}/{node}/self/ack/"
    home.subscribe(answer + "+").publish(topic, replayed)
    home.expect(lambda where, payload: where.startswith(answer) and json.loads(payload)["status"] == "done")
    wrong.append((topic, replayed, "id", "used before"))
    for where, payload, field, problem in wrong:
        before = len(refusals(farm, node))
        home.publish(where, payload)
        letters = wait_for(f"{field} refused by {node}", lambda before=before: refusals(farm, node)[: -before or None])
        assert letters[0][0].startswith(field), letters[0]
        assert problem in letters[0][1], letters[0]
    assert any(each["name"] == "refused" for each in farm.api.get("/alerts", node=node)["items"])
    ping(farm, node)


@pytest.mark.parametrize("node", ["barn-1", "esp-1"])
def test_a_retained_command_is_not_obeyed_by_who_comes_later(farm: LinkedFarm, node: str) -> None:
    signer, home = Signer(farm, node), farm.as_commander()
    topic = signer.topic("identify")
    barn = farm.as_steward("barn").subscribe(topic)
    home._paho.publish(topic, signer.sealed(topic), 1, True).wait_for_publish(30)
    barn.expect(lambda where, payload: where == topic and payload != b"")
    if node == "esp-1":
        os.kill(farm.pid("esp-1"), signal.SIGKILL)  # `up` starts it again
    else:
        farm.sentries[node].kill()
        farm.sentries[node].start()
    wait_for("refused", lambda: ("retain", "a command must not be retained") in farm.dead_letters(node))
    home.publish(topic, b"", retain=True)
    barn.expect(lambda where, payload: where == topic and payload == b"")
    wait_for(f"{node} ready", lambda: farm.node(node)["presence"] == "ready")
    ping(farm, node)
