"""A sentry as master of a rig: real firmware on simulated slaves, the door of SMBus's shape, a real broker."""

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha1
from pathlib import Path
from typing import Any

import pytest

from sentry.errors import SentryError
from sentry.events import Sender
from sentry.extras import stray_filter
from sentry.mining.i2c_settings import RigSettings
from sentry.mining.settings import load
from tests.avr.conftest import built, start_rig
from tests.avr.virtual import VirtualRig
from tests.conftest import ROOT
from tests.sentry.rig import HouseBroker, Peer, Sentry
from tests.support.ports import free_ports
from tests.support.waiting import wait_until

__all__ = ["built", "start_rig"]  # fixtures

LAST = sha1(b"last").hexdigest()
OFFERS = "farm/house/rig1/{}/job/offer"
# Simulated time follows the real one, which a loaded machine slows down.
pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]


class RigSentry(Sentry):
    """The master of the rig on `port`."""

    port = 0

    @property
    def place(self) -> dict[str, Any]:
        place = super().place
        values = {"BUS": f"tcp://127.0.0.1:{self.port}", "REPORT_S": "0.5", "RETRY_S": "0.3"}
        place["env"] |= {f"FARMHAND_RIG_{name}": value for name, value in values.items()}
        return place


@pytest.fixture
def master(tmp_path: Path, broker: HouseBroker, commander: Peer) -> Iterator[RigSentry]:
    sentry = RigSentry(tmp_path / "sentry", interval_s=60, window_least=2000)  # nobody stores what it sends
    sentry.port = free_ports(1)[0]
    sentry.enrolled(f"mqtt://127.0.0.1:{broker.port}", commander.verify)
    sentry.start()
    yield sentry
    if sentry.process is not None:
        sentry.stop()


@pytest.fixture
def wires(master: RigSentry, start_rig: Callable[..., VirtualRig]) -> VirtualRig:
    return start_rig(2, "--speed=1", f"--port={master.port}")


def offer(commander: Peer, device: str, job: str, nonce: int, difficulty: int) -> None:
    target = sha1(f"{LAST}{nonce}".encode()).hexdigest()
    given = {"id": job, "last": LAST, "target": target, "difficulty": difficulty, "until": 0}
    commander.publish(OFFERS.format(device), json.dumps({"job": given}).encode())


def ready(commander: Peer, device: str) -> None:
    commander.expect(f"/{device}/state", lambda word: word == "ready")


def test_a_bus_that_comes_and_goes(master: RigSentry, commander: Peer, built: Path) -> None:
    alert = commander.expect("/self/alert/rig", bool)
    assert alert["text"] == f"I2C bus tcp://127.0.0.1:{master.port}: Connection refused"
    with closing(VirtualRig(built / "slave-16.elf", 2, "--speed=1", f"--port={master.port}")):
        info = commander.expect("/avr-11/info")
        assert (info["kind"], info["limits"]) == ("cpu-gpu", {"difficulty": 655})
        assert info["hardware"].endswith("DUCOIDFA12000000000001")
        ready(commander, "avr-11")
        assert commander.expect("/self/alert/rig") == ""
        assert commander.expect("/self/info")["parts"]["slave"]["hashrate"] == "H/s"
        offer(commander, "avr-11", "job-1", 77, 1)
        share = commander.expect("/avr-11/job/share")
        assert (share["id"], share["nonce"], share["chip"]) == ("job-1", 77, "DUCOIDFA12000000000001")
        offer(commander, "avr-11", "job-1", 77, 1)  # as after a reconnect: it is known
        verdict = {"verdict": {"id": "job-1", "word": "GOOD"}}
        commander.publish(OFFERS.format("avr-11"), json.dumps(verdict).encode())
        told = commander.expect("/avr-11/tele/slave", lambda data: data["accepted"] == 1)
        assert (told["requests"], told["shares"], told["faults"], told["in_hand"]) == (1, 1, 0, 0)
        offer(commander, "avr-99", "job-2", 5, 1)
        assert commander.expect("/evt/refused")["problem"] == "is not on this rig"
    assert str(master.port) in commander.expect("/self/alert/rig", bool)["text"]
    commander.expect("/avr-11/state", lambda word: word == "lost")


def test_a_share_found_while_the_broker_is_away(
    master: RigSentry, wires: VirtualRig, commander: Peer, broker: HouseBroker
) -> None:
    ready(commander, "avr-12")
    offer(commander, "avr-12", "job-1", 3000, 100)
    commander.expect("/avr-12/tele/slave", lambda data: data["server"] == "K")
    broker.stop(signal.SIGKILL)
    found = "SELECT topic FROM queue WHERE topic LIKE '%/avr-12/job/share'"
    wait_until("the share in the outbox", lambda: master.rows(found), 60)
    broker.start()
    ready(commander, "avr-12")
    share = commander.expect("/avr-12/job/share")
    assert (share["id"], share["nonce"]) == ("job-1", 3000)
    assert master.stop() == 0
    commander.expect("/avr-12/state", lambda word: word == "disconnected")


def test_the_command_rig_and_a_slave_that_is_unplugged(master: RigSentry, wires: VirtualRig, commander: Peer) -> None:
    def send(name: str, **args: Any) -> None:
        commander.publish(*commander.command("rig", name, args=args))

    def answer(name: str) -> Any:
        return commander.expect(f"/ack/{name}", lambda data: data["status"] != "accepted")

    def ask(name: str, **args: Any) -> Any:
        send(name, **args)
        return answer(name)

    ready(commander, "avr-11")
    assert ask("c1", letter="o")["result"]["lines"] == ["cons 2", "11 R", "12 R"]
    assert ask("c2", letter="q", slave=11)["result"]["lines"][0].startswith("I after ")
    assert ask("c3", letter="q", slave=40)["result"] == {
        "field": "slave",
        "problem": "must be the address of a slave: 11, 12",
    }
    wrong = ask("c4", letter="q", slave="11")
    assert (wrong["status"], wrong["code"], wrong["result"]["field"]) == ("refused", "bad-arguments", "slave")
    wires.fault("unplug", slave=0)
    commander.expect("/avr-11/state", lambda word: word == "lost")
    assert commander.expect("/alert/avr-11")["severity"] == "error"
    assert "does not answer" in ask("c5", letter="c", slave=11)["result"]["lines"][0]
    wires.fault("plug", slave=0)
    send("c6", letter="c", slave=11)
    ready(commander, "avr-11")
    assert commander.expect("/alert/avr-11") == ""
    assert answer("c6")["result"]["lines"] == ["11 R"]


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("BUS", "i2c-1", "/dev/i2c-1"),
        ("BUS", "tcp://127.0.0.1", "tcp://host:port"),
        ("PACE", "-1", "greater than or equal to 0"),
        ("ADDRESSES", "8,120", "'120' must be addresses from 8 to 119"),
        ("ADDRESSES", "20-10", "as 8,11-13"),
        ("RETRY_S", "0", "greater than 0"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, why: str) -> None:
    monkeypatch.setenv(f"FARMHAND_RIG_{name}", value)
    with pytest.raises(SentryError, match=f"FARMHAND_RIG_{name}: .*{why}"):
        load(RigSettings)


def test_settings_are_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARMHAND_RIG_ADDRESSES", "8, 11-13")
    assert load(RigSettings).addresses == (8, 11, 12, 13)
    text = (ROOT / "docs" / "rig.md").read_text()
    assert all(f"| `FARMHAND_RIG_{name.upper()}` |" in text for name in RigSettings.model_fields)


@pytest.mark.parametrize("part", ["self/state", "avr-11/job/offer"])
def test_what_an_earlier_setting_still_brings_is_ended(part: str) -> None:
    sender = Sender("farm", "house", "rig1")
    assert stray_filter(sender, f"farm/house/rig1/{part}") == "farm/house/rig1/+/" + part.partition("/")[2]
    assert stray_filter(sender, "farm/house/rig1/self/cmd/ping") is None
