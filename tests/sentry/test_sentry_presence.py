"""A sentry on a real broker: birth, life, documents, commands, farewell."""

import json
import signal
from collections.abc import Callable
from typing import Any

import pytest

from sentry.collect import names
from tests.sentry.rig import HouseBroker, Peer, Sentry, ms
from tests.support.waiting import wait_until

pytestmark = pytest.mark.broker
Make = Callable[..., Sentry]


def started(make: Make, commander: Peer, **settings: Any) -> Sentry:
    sentry = make(**settings)
    sentry.start()
    commander.expect("/state", lambda word: word == "ready")
    return sentry


def test_birth_tells_what_comes_and_the_end_is_said(make_sentry: Make, commander: Peer) -> None:
    sentry = make_sentry(heartbeat_s=0.2, interval_s=0.5)
    sentry.start()
    assert commander.expect("/state") == "init"
    birth = commander.expect("/info")
    assert birth["kind"] == "cpu-gpu"
    assert birth["alive_ms"] == 500
    assert birth["parts"]["host"]["mem_total"] == "B"
    assert set(birth["parts"]) <= {"node", *names()}
    assert commander.expect("/state") == "ready"
    assert commander.expect("/tele/node")["uptime_s"] >= 0
    boot = commander.expect("/evt/boot")
    assert (boot["seq"], boot["boot"], boot["clean"]) == (1, birth["boot"], True)
    host = commander.expect("/tele/host")
    assert set(host) == {"ts", "stream", "seq", *birth["parts"]["host"]}
    assert sentry.status()["connected"]
    assert sentry.stop() == 0
    assert commander.expect("/state") == "disconnected"
    after = sentry.status()
    assert not after["running"]
    assert not after["connected"]
    assert after["next_seq"] > host["seq"]


def test_a_killed_sentry_is_lost_by_its_will_and_says_so_later(make_sentry: Make, commander: Peer) -> None:
    sentry = started(make_sentry, commander)
    sentry.stop(signal.SIGKILL)
    commander.expect("/state", lambda word: word == "lost")
    sentry.start()
    assert commander.expect("/evt/boot", lambda event: event["seq"] > 1)["clean"] is False


def test_settings_are_applied_and_kept(make_sentry: Make, commander: Peer) -> None:
    sentry = started(make_sentry, commander)
    body = {"rev": 3, "epoch": 1, "data": {"heartbeat_s": 1}}
    commander.publish(*commander.sealed("desired", "settings", body), retain=True)
    assert commander.expect("/info", lambda info: info["alive_ms"] == 2500)
    report = {"rev": 3, "status": "applied", "data": {"interval_s": 10.0, "heartbeat_s": 1}}
    assert commander.expect("/reported/settings") == report
    sentry.stop()
    sentry.start()
    assert commander.expect("/info")["alive_ms"] == 2500
    assert commander.expect("/reported/settings") == report


@pytest.mark.parametrize(
    ("document", "data", "error"),
    [
        ("weather", {}, "document: unknown; allowed: playbooks, settings"),
        ("settings", {"interval_s": 0}, "interval_s: must be a whole number from 1 to 3600"),
        ("settings", {"pace": 1}, "pace: unknown field; allowed: heartbeat_s, interval_s"),
        ("settings", [], "settings: must be an object"),
    ],
)
def test_a_document_that_cannot_be_applied_is_reported(
    make_sentry: Make, commander: Peer, document: str, data: Any, error: str
) -> None:
    started(make_sentry, commander)
    body = {"rev": 1, "epoch": 1, "data": data}
    commander.publish(*commander.sealed("desired", document, body))
    report = commander.expect(f"/reported/{document}")
    assert report == {"rev": 1, "status": "failed", "error": error}


def test_commands_are_answered(make_sentry: Make, commander: Peer) -> None:
    started(make_sentry, commander)

    def answers(name: str, id_: str, **change: Any) -> Any:
        commander.publish(*commander.command(name, id_, **change))
        first = commander.expect(f"/ack/{id_}")
        return first if first["status"] != "accepted" else commander.expect(f"/ack/{id_}")

    assert answers("ping", "c1")["result"]["boot"]
    assert answers("identify", "c2")["result"]["node"] == "rig1"
    lines = answers("logs", "c3", args={"lines": 5})["result"]["lines"]
    assert any("connected to" in line for line in lines)
    wrong = answers("logs", "c4", args={"lines": 0})
    assert (wrong["status"], wrong["code"]) == ("refused", "bad-arguments")
    assert wrong["result"]["field"] == "lines"
    assert answers("dance", "c5")["code"] == "unknown-command"


def test_restart_is_answered_by_the_next_start(make_sentry: Make, commander: Peer) -> None:
    started(make_sentry, commander)
    commander.publish(*commander.command("restart", "again"))
    commander.expect("/ack/again", lambda ack: ack["status"] == "accepted")
    commander.expect("/state", lambda word: word == "disconnected")
    boot = commander.expect("/info")["boot"]
    done = commander.expect("/ack/again")
    assert (done["status"], done["result"]["boot"]) == ("done", boot)


def test_what_is_not_to_be_trusted_is_refused_and_reported(make_sentry: Make, commander: Peer) -> None:
    sentry = started(make_sentry, commander)
    topic, good = commander.command("ping", "once", epoch=5)

    def refused(payload: bytes, retain: bool = False) -> tuple[str, str]:
        commander.publish(topic, payload, retain)
        event = commander.expect("/evt/refused")
        assert event["topic"] == topic
        return event["field"], event["problem"]

    commander.publish(topic, good)
    commander.expect("/ack/once", lambda ack: ack["status"] == "done")
    assert refused(good) == ("id", "was used before")
    assert refused(commander.command("ping", "old", epoch=4)[1])[0] == "epoch"
    assert refused(commander.command("ping", "late", epoch=5, exp=ms() - 5000)[1])[0] == "exp"
    body = json.loads(commander.command("ping", "own", epoch=5)[1])["body"]
    assert refused(json.dumps({"sig": "AAAA", "body": body}).encode())[0] == "sig"
    assert refused(body.encode())[1].startswith("unknown field; allowed: body, sig")
    assert refused(commander.command("identify", "other", epoch=5)[1])[0] == "sig"
    assert refused(b"\xff\x00 no message")[0] in ("payload", "sealed")
    # A retained command reaches whoever subscribes later, again and again.
    commander.publish(*commander.command("ping", "kept", epoch=5), retain=True)
    commander.expect("/ack/kept", lambda ack: ack["status"] == "done")
    sentry.stop()
    sentry.start()
    event = commander.expect("/evt/refused", lambda event: event["field"] == "retain")
    assert event["problem"] == "a command must not be retained"


def test_works_on_while_the_broker_is_away(make_sentry: Make, commander: Peer, broker: HouseBroker) -> None:
    sentry = started(make_sentry, commander, interval_s=0.2)
    broker.stop(signal.SIGKILL)
    before = sentry.status()["next_seq"]
    wait_until("events are stored meanwhile", lambda: sentry.status()["next_seq"] > before + 3)
    assert not sentry.status()["connected"]
    broker.start()
    wait_until("it is back", lambda: bool(sentry.status()["connected"]))
    sentry.stop(signal.SIGTERM)
    assert "connection lost" in sentry.log()


def test_a_restored_image_begins_a_new_stream_and_says_so(make_sentry: Make, commander: Peer) -> None:
    sentry = started(make_sentry, commander)
    old = sentry.status()["stream"]
    commander.mark(old, 1_000_000)
    line = commander.expect("/log")
    assert line["level"] == "error"
    assert "older than what the commander has" in line["text"]
    assert commander.expect("/evt/boot", lambda event: event["stream"] != old)["seq"] == 1


def test_a_commander_that_forgot_is_told_what_is_gone(make_sentry: Make, commander: Peer) -> None:
    sentry = started(make_sentry, commander)
    stream = sentry.status()["stream"]
    assert sentry.ask("emit", "--count", "50").returncode == 0
    commander.expect("/evt/test", lambda event: event["n"] == 50)
    commander.mark(stream, 40)
    wait_until("the outbox has heard of the mark", lambda: sentry.status()["mark"] == 40)
    commander.mark(stream, 7)  # restored from a backup
    gap = commander.expect("/evt/gap")
    assert (gap["stream"], gap["from"], gap["to"]) == (stream, 8, 40)
    assert sentry.status()["mark"] == 40


def test_a_frozen_broker_does_not_hold_up_the_end(make_sentry: Make, commander: Peer, broker: HouseBroker) -> None:
    sentry = started(make_sentry, commander)
    broker.send(signal.SIGSTOP)
    try:
        assert sentry.stop() == 0
    finally:
        broker.send(signal.SIGCONT)
    assert not sentry.status()["running"]


def test_a_second_sentry_on_the_same_folder_is_refused(make_sentry: Make, commander: Peer) -> None:
    sentry = started(make_sentry, commander)
    answer = sentry.ask("run")
    assert answer.returncode == 1
    assert answer.stderr.strip().endswith("another sentry is running on this folder")
