"""Real bridges: queueing over a cut, a gateway, a one-way link, TLS."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from broker.bootstrap import write_kit
from broker.certs import fingerprint
from broker.kit import install_kit, make_kit, read_kit
from tests.broker.farm import Client, RunningFarm
from tests.support.farms import HOUSE_AND_BARN

pytestmark = pytest.mark.broker
MakeFarm = Callable[[str], RunningFarm]


def connected(farm: RunningFarm, link: str) -> None:
    commander = farm.commander().subscribe(f"farm/_/bridge/{link}")
    commander.expect(lambda _, p: p == b"1")
    commander.close()


def test_a_cut_link_queues_both_ways_and_home_learns_of_the_cut(make_farm: MakeFarm) -> None:
    farm = make_farm(HOUSE_AND_BARN).start()
    farm.give("barn", [("n1", "node", [])])
    connected(farm, "barn-house")
    home = farm.commander("keeper", clean=False).subscribe("farm/barn/n1/#", "farm/_/bridge/+")
    node = farm.client("barn", "n1", "n1").subscribe("farm/barn/n1/self/cmd/+")
    os.kill(farm.mosquitto_pid("house"), signal.SIGTERM)
    farm.hear("house", "broker ended")
    for number in range(500):
        node.publish(f"farm/barn/n1/self/evt/e{number}")
    farm.hear("house", "ready")
    for number in range(500):
        home.expect(lambda t, _, n=number: t.endswith(f"evt/e{n}"))
    # A stopped broker is a link that is cut without a word: home has to find out by itself.
    os.kill(farm.mosquitto_pid("barn"), signal.SIGSTOP)
    try:
        home.expect(lambda t, p: (t, p) == ("farm/_/bridge/barn-house", b"0"))
        for number in range(100):
            home.publish(f"farm/barn/n1/self/cmd/c{number}")
    finally:
        os.kill(farm.mosquitto_pid("barn"), signal.SIGCONT)
    for number in range(100):
        node.expect(lambda t, _, n=number: t.endswith(f"cmd/c{n}"))


CHAIN = """
[domains.house]
home = true
port = {}
[domains.gate]
port = {}
[domains.field]
port = {}
[[links]]
a = "gate"
b = "house"
dials = "house"
[[links]]
a = "field"
b = "gate"
"""


def test_a_gateway_carries_documents_and_events_and_passes_on_the_news(make_farm: MakeFarm) -> None:
    farm = make_farm(CHAIN).start()
    home = farm.commander().subscribe("farm/#")
    home.expect(lambda t, p: (t, p) == ("farm/_/bridge/field-gate", b"1"))
    farm.give("field", [("n1", "node", [])])
    home.publish("farm/field/n1/self/desired/x", b"first", retain=True)
    node = farm.client("field", "n1", "n1").subscribe("farm/field/n1/self/desired/+")
    node.expect(lambda _, p: p == b"first")
    # One that comes later still gets it: retained stays retained over two bridges.
    late = farm.client("field", "n1", "n1").subscribe("farm/field/n1/self/desired/+")
    assert late.messages.get(timeout=20) == ("farm/field/n1/self/desired/x", b"first", True)
    node.publish("farm/field/n1/self/evt/x", b"once")
    node.publish("farm/field/n1/self/data/x", b"stays")
    node.publish("farm/field/n1/self/evt/fence", b"fence")
    seen: list[bytes] = []
    home.expect(lambda t, p: (p in (b"once", b"stays") and seen.append(p)) or p == b"fence")
    assert seen == [b"once"]
    os.kill(farm.mosquitto_pid("field"), signal.SIGKILL)
    home.expect(lambda t, p: (t, p) == ("farm/_/bridge/field-gate", b"0"))


def test_a_one_way_link_carries_nothing_back(make_farm: MakeFarm) -> None:
    farm = make_farm(HOUSE_AND_BARN.replace('b = "house"', 'b = "house"\nflow = "a-to-b"')).start()
    connected(farm, "barn-house")
    home = farm.commander().subscribe("farm/barn/#")
    barn = farm.steward("barn").subscribe("farm/barn/n1/self/#")
    home.publish("farm/barn/n1/self/cmd/x", b"lost")
    barn.publish("farm/barn/n1/self/evt/x", b"heard")
    home.expect(lambda _, p: p == b"heard")
    barn.publish("farm/barn/n1/self/log", b"fence")
    assert "farm/barn/n1/self/cmd/x" not in barn.until("farm/barn/n1/self/log")


def test_tls_with_the_farms_own_authority(make_farm: MakeFarm, tmp_path: Path) -> None:
    farm = make_farm(HOUSE_AND_BARN.replace("home = true", "home = true\ntls = true")).start()
    ca = farm.state / "ca" / "ca.pem"
    assert len(fingerprint(ca.read_text())) == 64
    port = farm.farm.domains["house"].port
    password = farm.secrets.commander["password"]
    home = Client(port, "commander", password, ca_certs=str(ca)).ready()
    home.subscribe("farm/_/bridge/+")
    home.expect(lambda _, p: p == b"1")
    home.close()


def test_a_kit_unpacks_to_the_same_broker(make_farm: MakeFarm, tmp_path: Path) -> None:
    farm = make_farm(HOUSE_AND_BARN)
    write_kit(farm.state, "barn", tmp_path / "barn.kit")
    assert (tmp_path / "barn.kit").stat().st_mode & 0o077 == 0
    content = (tmp_path / "barn.kit").read_bytes()
    kit = install_kit(content, tmp_path / "there")
    assert make_kit(kit) == content
    assert read_kit(content).bridges == {"barn-house": farm.secrets.bridges["barn-house"]}
    assert farm.secrets.ed25519["private"].encode() not in content
