"""The steward with the real Mosquitto: telemetry, credentials, refusals, restarts."""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from broker.news import HEARTBEAT_MS
from broker.passwords import hashed
from broker.supervise import find_mosquitto
from schema.fleet import LEADER
from schema.trust import seal
from tests.broker.farm import Client, RunningFarm
from tests.conftest import ROOT
from tests.support.farms import HOUSE, HOUSE_AND_BARN

pytestmark = pytest.mark.broker


def test_says_who_it_is_and_how_the_broker_does(two: RunningFarm) -> None:
    watcher = two.commander().subscribe("farm/+/+/+/#", "farm/_/bridge/+")
    info = json.loads(watcher.expect(lambda t, _: t == "farm/barn/steward-barn/self/info"))
    assert info["kind"] == "steward"
    figures = json.loads(watcher.expect(lambda t, p: t.endswith("tele/broker") and json.loads(p).get("clients", 0) > 0))
    assert set(figures) <= {"ts", *info["parts"]["broker"]}
    topic = "farm/barn/steward-barn/barn-house/tele/bridge"
    bridge = json.loads(watcher.expect(lambda t, p: t == topic and b'"connected":1' in p))
    assert bridge["since"] > 0


def test_bridge_notification_is_retained_at_home(two: RunningFarm) -> None:
    watcher = two.commander().subscribe("farm/_/bridge/+")
    watcher.expect(lambda t, p: (t, p) == ("farm/_/bridge/barn-house", b"1"))


def test_credentials_reload_keeps_connected_clients(two: RunningFarm) -> None:
    two.give("barn", [("n1", "node", []), ("n2", "node", [])])
    n1, n2 = two.client("barn", "n1", "n1"), two.client("barn", "n2", "n2")
    two.give("barn", [("n1", "node", []), ("n3", "node", [])])
    two.client("barn", "n3", "n3")
    assert n2.gone.wait(60), "a removed user must be thrown out"
    assert not n1.gone.is_set(), "everybody else stays"
    watcher = two.commander().subscribe("farm/barn/n1/#")
    n1.publish("farm/barn/n1/self/evt/still-here")
    watcher.expect(lambda t, _: t.endswith("still-here"))


def test_a_document_is_reported_only_when_its_users_may_come(two: RunningFarm) -> None:
    one_hash = hashed("secret")
    commander = two.commander().subscribe("farm/barn/steward-barn/self/reported/+")
    last: dict[str, tuple[int, str]] = {}
    for round_ in range(3):
        for digit in "0123456789abcdef":
            users = [
                {"user": f"u-{digit}-{round_}-{n}", "hash": one_hash, "role": "node", "grants": []} for n in range(400)
            ]
            topic, payload = two.desired("barn", f"credentials-{digit}", {"users": users})
            commander.publish(topic, payload)
            last[topic.rpartition("/")[2]] = two.revs, f"u-{digit}-{round_}-399"
    while last:
        topics: list[str] = []

        def is_last(topic: str, payload: bytes, topics: list[str] = topics) -> bool:
            topics.append(topic.rpartition("/")[2])
            return json.loads(payload)["rev"] == last.get(topics[-1], (0,))[0]

        commander.expect(is_last)
        _rev, user = last.pop(topics[-1])
        two.client("barn", user, "secret", client_id=user)


DEAF = """#!/bin/sh
{mosquitto} "$@" &
broker=$!
heard=0
trap 'heard=$((heard + 1)); [ $heard = 2 ] || kill -HUP $broker' HUP
trap 'kill $broker' TERM
while kill -0 $broker 2>/dev/null; do wait $broker; done
"""


def test_a_reload_that_mosquitto_forgot_is_asked_for_again(
    make_farm: Callable[[str], RunningFarm], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It forgets a signal that comes while it still reads the files for the one before."""
    deaf = tmp_path / "mosquitto"
    deaf.write_text(DEAF.format(mosquitto=find_mosquitto()))
    deaf.chmod(0o755)
    monkeypatch.setenv("FARMHAND_MOSQUITTO", str(deaf))
    farm = make_farm(HOUSE).start()
    for name in ("n1", "n2", "n3"):
        farm.give("house", [(name, "node", [])])
        farm.client("house", name, name)


def test_a_full_disk_stops_nobody_and_is_made_good_for(make_farm: Callable[[str], RunningFarm]) -> None:
    farm = make_farm(HOUSE).start()
    farm.give("house", [("n1", "node", [])])
    n1 = farm.client("house", "n1", "n1")
    steward = farm.stewards["house"].pid
    unlimited = resource.prlimit(steward, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    commander = farm.commander().subscribe("farm/house/steward-house/self/reported/credentials")
    users = [{"user": name, "hash": hashed(name), "role": "node", "grants": []} for name in ("n1", "n2")]
    commander.publish(*farm.desired("house", "credentials", {"users": users}), retain=True)
    rev = farm.revs
    told = json.loads(commander.expect(lambda _, p: json.loads(p)["rev"] == rev))
    assert told["status"] == "failed"
    assert "cannot be written" in told["error"]
    resource.prlimit(steward, resource.RLIMIT_FSIZE, unlimited)
    commander.expect(lambda _, p: json.loads(p)["rev"] == rev and json.loads(p)["status"] == "applied")
    farm.client("house", "n2", "n2")
    assert not n1.gone.is_set()


def test_refused_login_becomes_an_event_until_stored(make_farm: Callable[[str], RunningFarm]) -> None:
    farm = make_farm(HOUSE).start()  # of its own: nobody else is refused there
    watcher = farm.commander().subscribe("farm/house/steward-house/self/evt/+")
    intruder = Client(farm.farm.domains["house"].port, "nobody", "guess")
    assert intruder.connected.wait(60)
    assert "ot authorized" in intruder.refusal
    is_refusal: Callable[[str, bytes], bool] = lambda t, _: t.endswith("auth-refused")  # noqa: E731
    first = json.loads(watcher.expect(is_refusal))
    assert first["address"] == "127.0.0.1"
    again = json.loads(watcher.expect(is_refusal))
    assert (again["stream"], again["seq"]) == (first["stream"], first["seq"]), "sent until stored"
    intruder.close()


@pytest.mark.parametrize(
    ("change", "field"),
    [({"rev": 1}, "rev"), ({"epoch": 0}, "epoch"), ({}, "sig")],
)
def test_document_out_of_order_is_refused(two: RunningFarm, change: dict[str, int], field: str) -> None:
    two.give("house", [])  # so that there is an older revision
    watcher = two.commander().subscribe("farm/house/steward-house/self/evt/refused")
    topic, payload = two.desired("house", "credentials", {"users": []}, **change)
    if not change:
        payload = payload.replace(b"users", b"userz")
    watcher.publish(topic, payload)
    watcher.expect(lambda _, p: json.loads(p)["field"] == field)


def test_wrong_document_is_reported_with_its_field(two: RunningFarm) -> None:
    watcher = two.commander().subscribe("farm/house/steward-house/self/reported/credentials")
    wrong = {"users": [{"user": "x", "hash": "plain", "role": "node"}]}
    watcher.publish(*two.desired("house", "credentials", wrong))
    report = json.loads(watcher.expect(lambda _, p: b"failed" in p))
    assert report["error"].startswith("users[0].hash: must be $7$")


def test_purge_clears_what_is_retained_here_and_at_home(two: RunningFarm) -> None:
    two.give("barn", [("old", "node", []), ("kept", "node", [])])
    watcher = two.commander().subscribe("farm/barn/+/self/state", "farm/barn/+/self/info")
    for node in ("old", "kept"):
        client = two.client("barn", node, node)
        client.publish(f"farm/barn/{node}/self/state", "ready", retain=True)
        client.publish(f"farm/barn/{node}/self/info", "{}", retain=True)
        watcher.expect(lambda t, _, node=node: t == f"farm/barn/{node}/self/info")
    reports = two.commander().subscribe("farm/barn/steward-barn/self/reported/purge")
    topic, payload = two.desired("barn", "purge", {"nodes": ["old"]})
    reports.publish(topic, payload, retain=True)
    reports.expect(lambda _, p: json.loads(p)["rev"] == two.revs)
    watcher.expect(lambda t, p: t == "farm/barn/old/self/state" and p == b"")
    for late in (two.steward("barn"), two.commander()):
        late.subscribe("farm/barn/old/#", "farm/barn/kept/self/info")
        assert late.until("farm/barn/kept/self/info") == []


def test_killed_broker_comes_back(make_farm: Callable[[str], RunningFarm]) -> None:
    farm = make_farm(HOUSE_AND_BARN).start()
    farm.give("barn", [("n1", "node", [])])
    os.kill(farm.mosquitto_pid("barn"), signal.SIGKILL)
    farm.hear("barn", "broker ended")
    farm.hear("barn", "ready")
    watcher = farm.commander().subscribe("farm/barn/n1/#", "farm/_/bridge/+")
    node = farm.client("barn", "n1", "n1")
    node.publish("farm/barn/n1/self/evt/after")
    watcher.expect(lambda t, _: t.endswith("evt/after"))


def test_killed_steward_leaves_no_broker_behind(make_farm: Callable[[str], RunningFarm]) -> None:
    farm = make_farm(HOUSE_AND_BARN).start("house")
    farm.stewards["house"].kill()
    farm.stewards["house"].wait(60)
    farm.hear("house", "(end)")
    farm.start("house")


def test_port_in_use_is_one_clear_line(make_farm: Callable[[str], RunningFarm]) -> None:
    farm = make_farm(HOUSE_AND_BARN).start("house")
    barn = farm.state / "broker" / "barn"
    kit = barn / "kit.json"
    taken = str(farm.farm.domains["house"].port)
    kit.write_text(
        kit.read_text()
        .replace(f"port = {taken}", "port = 1")
        .replace(f"port = {farm.farm.domains['barn'].port}", f"port = {taken}")
    )
    ended = subprocess.run(
        [sys.executable, "-c", "from broker.cli import app; app()", "up", str(barn)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert ended.returncode != 0
    assert f"port: 127.0.0.1:{taken} is in use" in ended.stderr


def test_dropped_messages_raise_an_alert(make_farm: Callable[[str], RunningFarm]) -> None:
    limited = "home = true\nmosquitto = {{max_queued_messages = 100}}"
    farm = make_farm(HOUSE_AND_BARN.replace("home = true", limited)).start("house")
    sleeper = farm.commander("sleeper", clean=False).subscribe("farm/house/n1/#")
    sleeper.close()
    watcher = farm.commander().subscribe("farm/house/steward-house/self/alert/+")
    writer = farm.steward("house")
    for number in range(150):
        writer.publish(f"farm/house/n1/self/evt/e{number}")
    alert = json.loads(watcher.expect(lambda t, _: t.endswith("alert/dropped")))
    assert "sleeper" in alert["text"]


def test_size_limits(two: RunningFarm) -> None:
    """What schema refuses still reaches the commander, up to 1 MiB; more than that goes nowhere."""
    watcher = two.commander().subscribe("farm/house/n9/#")
    writer = two.steward("house")
    for size in (2_000_000, 1_000_000):
        writer.publish("farm/house/n9/self/evt/x", bytes(size))
    assert len(watcher.expect(lambda *_: True)) == 1_000_000


def test_a_new_leader_hears_of_the_steward_at_once(make_farm: Callable[[str], RunningFarm]) -> None:
    alone = make_farm(HOUSE).start()
    commander = alone.commander().subscribe("farm/house/steward-house/self/tele/broker")

    def heartbeat() -> int:
        return json.loads(commander.expect(lambda _topic, _payload: True))["ts"]

    before = heartbeat()
    body = {"epoch": 1, "node": "c", "expires": 2**53 - 1}
    commander.publish("farm/_/leader", seal(LEADER, "farm/_/leader", body, alone.key.sign), retain=True)
    assert heartbeat() - before < HEARTBEAT_MS - 2_000
