"""Bad input: refused with a reason that names the field, counted per sender, kept in dead letters; worthless tokens."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from schema import tokens
from tests.system.conftest import LinkedFarm
from tests.system.farm import wait_for
from tests.system.sentry_process import Sentry

pytestmark = [pytest.mark.broker, pytest.mark.micropython]

BIRTH = {
    "schema": 1, "boot": "b1", "kind": "cpu-gpu", "software": "a test", "alive_ms": 60_000,
    "parts": {"climate": {"t": "°C", "word": ""}},
}  # fmt: skip
EVENT = {"ts": 1, "stream": "s-1", "seq": 1}

# topic below the node, payload, the field that the refusal names, a part of the reason
WRONG: list[tuple[str, Any, str, str]] = [
    ("info", {**BIRTH, "parts": {"climate": {"t": "furlong"}}}, "parts.climate.t", "furlong"),
    ("info", {**BIRTH, "boots": 2}, "boots", "unknown"),
    ("info", {k: v for k, v in BIRTH.items() if k != "alive_ms"}, "alive_ms", "missing"),
    ("tele/climate", {"ts": 1, "t": 20.5, "u": 3}, "u", "unknown field of part climate; announced: t, word"),
    ("tele/climate", {"ts": 1, "t": "warm"}, "t", "must be a number in °C"),
    ("tele/climate", {"ts": 1, "t": [1]}, "t", "must be"),
    ("tele/nowhere", {"ts": 1, "t": 20}, "topic.name", "announced: climate"),
    ("evt/test", {"ts": 1, "stream": "s-1"}, "seq", "missing"),
    ("evt/test", {**EVENT, "ts": "now"}, "ts", "must be"),
    ("evt/test", {**EVENT, "stream": 5}, "stream", "must match"),
    ("evt/test", {**EVENT, "text": "x" * 300 * 1024}, "payload", "at most 262144"),
    ("evt/test", b"\xff\x00{", "", ""),
    ("evt/test", b"[1,2]", "", ""),
    ("state", b"happy", "state", "lost"),
    ("alert/hot", {"since": 1, "severity": "terrible", "text": "!"}, "severity", "error"),
    ("ack/c-1", {"id": "c-1", "status": "done"}, "id", "no command of that id"),
    ("reported/settings", {"rev": -1, "status": "applied"}, "rev", "0"),
]


@pytest.fixture(scope="module")
def rogue(farm: LinkedFarm) -> str:
    """A node with a credential but no program: the tests speak for it."""
    sentry = Sentry(farm.state / "sentry" / "rogue", "barn", farm.environment)
    done = farm.redeem(farm.token("barn", name="rogue"), "rogue", sentry.state)
    assert done.returncode == 0, done.stderr
    farm.sentries["rogue"] = sentry
    return "rogue"


def test_every_wrong_message_is_kept_with_its_reason(farm: LinkedFarm, rogue: str) -> None:
    node = farm.as_node(rogue)
    own = f"farm/barn/{rogue}/self/"
    node.publish(own + "info", json.dumps(BIRTH), retain=True)
    wait_for("its birth", lambda: farm.node(rogue)["boot"] == "b1")

    def letters() -> list[dict[str, Any]]:
        return farm.api.get("/dead-letters", sender=rogue, limit=1000)["items"]

    for number, (rest, payload, field, reason) in enumerate(WRONG, 1):
        node.publish(own + rest, payload if isinstance(payload, bytes) else json.dumps(payload))
        wait_for(f"{rest}: {field}", lambda number=number: len(letters()) == number)
        newest = letters()[0]
        assert newest["topic"] == own + rest
        assert newest["field"].startswith(field), newest
        assert reason in newest["problem"], newest
    counts = {each["sender"]: each["count"] for each in farm.api.get("/dead-letters")["senders"]}
    assert counts[rogue] == len(WRONG)


def test_a_refused_event_does_not_stop_its_stream(farm: LinkedFarm, rogue: str) -> None:
    """Else its sender would repeat it for ever."""
    node = farm.as_node(rogue)
    own = f"farm/barn/{rogue}/self/"
    node.subscribe(own + "stored")
    refused = {"ts": 1, "stream": "s-2", "seq": 1, "topic": "x"}
    node.publish(own + "evt/refused", json.dumps(refused))
    node.publish(own + "evt/test", json.dumps({"ts": 1, "stream": "s-2", "seq": 2, "good": True}))
    node.expect(lambda _, payload: json.loads(payload)["marks"].get("s-2") == 2)


def test_spoofed_and_unknown_senders_are_refused(farm: LinkedFarm) -> None:
    """Even by who may write there: a broken-into steward cannot invent nodes or speak for another domain's."""
    steward = farm.as_steward("barn")
    for sender, field in (("ghost", "topic.node"), ("host", "topic.domain")):
        steward.publish(f"farm/barn/{sender}/self/evt/test", json.dumps(EVENT))
        wait_for(f"{sender} refused", lambda sender=sender, field=field: field in dict(farm.dead_letters(sender)))
    assert farm.node("host")["domain"] == "house"
    assert "ghost" not in {node["id"] for node in farm.api.get("/nodes", limit=1000)["items"]}


def test_a_worthless_token_is_refused_and_an_alert_raised(farm: LinkedFarm, tmp_path: Path) -> None:
    expiring = farm.token("barn", ttl_s=10)
    made_at = time.monotonic()
    alerts = lambda: {(row["node"], row["name"]): row["text"] for row in farm.api.get("/alerts", limit=1000)["items"]}  # noqa: E731

    def refused(token: dict[str, Any], *reasons: str) -> None:
        done = farm.redeem(token, "", tmp_path / str(time.time_ns()))
        assert done.returncode != 0
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr
        assert any(reason in done.stderr for reason in reasons), done.stderr

    token = farm.token("house")
    domain, identity, _, fingerprint = tokens.parse(token["token"])
    wrong = tokens.build(domain, identity, "a-secret-that-is-wrong", fingerprint)
    refused({**token, "token": wrong}, "token unknown here, used already, or expired")
    wait_for("login refused", lambda: ("steward-house", "login-refused") in alerts())
    refused({**token, "token": token["token"][:30]}, "token: is damaged")
    good = farm.redeem(token, "once", tmp_path / "once")
    assert good.returncode == 0, good.stderr
    refused(token, "used before", "used already")
    wait_for("use refused", lambda: ("steward-house", "token-refused") in alerts())
    time.sleep(max(0.0, made_at + 10.5 - time.monotonic()))
    refused(expiring, "expired")
    named = lambda: any(node == "steward-barn" and "refused" in name for node, name in alerts())  # noqa: E731
    wait_for("expiry refused", named)
