"""Whatever comes, the rules answer with values: nothing a stranger sends may raise."""

import base64
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from schema import trust
from schema.fleet import MESSAGES
from sentry import rules
from sentry.events import Sender
from sentry.keys import verifier

KEY = Ed25519PrivateKey.generate()
VERIFY = verifier(base64.b64encode(KEY.public_key().public_bytes_raw()).decode())
OWN = "farm/house/rig1/self/"
WORLD = rules.World(
    sender=Sender("farm", "house", "rig1"),
    verify=VERIFY,
    now=1_800_000_000_000,
    boot="b1",
    birth={"kind": "worker", "software": "s", "hardware": "h"},
    log_lines=["x" * 2000 + "\n"] * 1000,
    defaults={"interval_s": 10, "heartbeat_s": 5},
)
TOPICS = st.sampled_from(
    [OWN + rest for rest in ("cmd/ping", "desired/settings", "stored", "tele/x", "job/offer")]
    + ["farm/_/leader", "", "farm", "other/house/rig1/self/cmd/ping", "farm/house/\n/x/cmd/y"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


@given(TOPICS | st.text(max_size=80), st.binary(max_size=300), st.booleans())
def test_random_bytes(topic: str, payload: bytes, retained: bool) -> None:
    memory, actions = rules.hear({"epoch": 3}, rules.Heard(topic, payload, retained), WORLD)
    assert memory == {"epoch": 3}
    assert all(isinstance(each, rules.Refuse) for each in actions)


@given(TOPICS, JSON)
def test_signed_nonsense(topic: str, body: Any) -> None:
    """Even the commander's own signature excuses no nonsense."""
    text = json.dumps(body)
    signature = base64.b64encode(KEY.sign(f"{topic}\n{text}".encode())).decode()
    payload = json.dumps({"sig": signature, "body": text}).encode()
    memory, actions = rules.hear({"epoch": 3}, rules.Heard(topic, payload, False), WORLD)
    assert memory == {"epoch": 3}
    for each in actions:
        assert isinstance(each, rules.Refuse)
        assert len(each.topic) <= 512
        assert len(each.problem) <= 512


def heard(key: str, name: str, body: dict[str, Any]) -> rules.Heard:
    topic = "farm/_/leader" if key == "leader" else f"{OWN}{key}/{name}"
    return rules.Heard(topic, trust.seal(MESSAGES[key], topic, body, KEY.sign), False)


@given(JSON)
def test_settings_and_arguments_of_any_kind(data: Any) -> None:
    try:
        document = heard("desired", "settings", {"rev": 1, "epoch": 1, "data": data})
        command = heard("cmd", "logs", {"id": "c", "exp": WORLD.now, "epoch": 1, "args": data})
    except ValueError:
        return  # the schema lets nobody send this
    memory, actions = rules.hear({}, document, WORLD)
    assert memory["revs"] == {"settings": 1}
    assert isinstance(actions[-1], rules.Say)
    assert actions[-1].data["status"] in ("applied", "failed")
    _, answers = rules.hear({}, command, WORLD)
    assert isinstance(answers[-1], rules.Say)
    assert answers[-1].data["status"] in ("done", "refused")


def test_the_leaders_epoch_is_remembered() -> None:
    leader = {"epoch": 9, "node": "c1", "expires": 0}
    memory, actions = rules.hear({"epoch": 3}, heard("leader", "", leader), WORLD)
    assert (memory, actions) == ({"epoch": 9}, [])
    old = heard("desired", "settings", {"rev": 1, "epoch": 8, "data": {}})
    _, (refused,) = rules.hear(memory, old, WORLD)
    assert isinstance(refused, rules.Refuse)
    assert (refused.field, refused.problem) == ("epoch", "8 is older than 9, seen before")


def test_the_same_revision_again_is_reported_again_and_changes_nothing() -> None:
    first = heard("desired", "settings", {"rev": 2, "epoch": 1, "data": {"interval_s": 3}})
    memory, _ = rules.hear({}, first, WORLD)
    assert rules.settings_of(memory, WORLD.defaults)["interval_s"] == 3
    again, actions = rules.hear(memory, first, WORLD)
    assert again == memory
    assert actions == rules.reports(memory)
    wrong = heard("desired", "settings", {"rev": 3, "epoch": 1, "data": {"interval_s": -3}})
    memory, _ = rules.hear(memory, wrong, WORLD)
    assert rules.settings_of(memory, WORLD.defaults)["interval_s"] == 3


def test_the_answer_to_logs_stays_below_the_payload_limit() -> None:
    body = {"id": "c", "exp": WORLD.now, "epoch": 1, "args": {"lines": 1000}}
    _, actions = rules.hear({}, heard("cmd", "logs", body), WORLD)
    answer = actions[-1]
    assert isinstance(answer, rules.Say)
    assert 0 < len(json.dumps(answer.data)) < 200_000
