"""Signatures, revisions, epochs: what a receiver must refuse."""

import hmac
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from schema import fleet, judge, topics, trust, wire
from schema.message import MAX_PAYLOAD, Invalid
from tests.schema.strategies import JSON, refusal

Sign = Callable[[bytes], bytes]
Verify = Callable[[bytes, bytes], bool]
TOPIC = topics.build(fleet.DESIRED, "farm", "barn", "esp-1", name="settings")
BODY: dict[str, Any] = {"rev": 3, "epoch": 2, "data": {"interval_s": 5}}


def ed25519() -> tuple[Sign, Verify]:
    private = Ed25519PrivateKey.generate()

    def verify(text: bytes, signature: bytes) -> bool:
        try:
            private.public_key().verify(signature, text)
        except InvalidSignature:
            return False
        return True

    return private.sign, verify


def hmac_pair() -> tuple[Sign, Verify]:
    key = b"k" * 32
    return (lambda text: trust.hmac_sha256(key, text)), trust.hmac_verifier(key)


both_keys = pytest.mark.parametrize("pair", [ed25519(), hmac_pair()], ids=["ed25519", "hmac"])


@given(st.binary(max_size=200), st.binary(max_size=300))
def test_hmac_is_the_standard_one(key: bytes, text: bytes) -> None:
    assert trust.hmac_sha256(key, text) == hmac.new(key, text, sha256).digest()


@both_keys
@settings(max_examples=40)
@given(data=JSON)
def test_sealed_is_unsealed(pair: tuple[Sign, Verify], data: Any) -> None:
    sign, verify = pair
    body = {**BODY, "data": data}
    assert trust.unseal(fleet.DESIRED, TOPIC, trust.seal(fleet.DESIRED, TOPIC, body, sign), verify) == body


@both_keys
@settings(max_examples=60)
@given(at=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_a_changed_byte_is_refused(pair: tuple[Sign, Verify], at: int, byte: int) -> None:
    sign, verify = pair
    payload = trust.seal(fleet.DESIRED, TOPIC, BODY, sign)
    at %= len(payload)
    changed = payload[:at] + bytes([byte]) + payload[at + 1 :]
    try:
        assert trust.unseal(fleet.DESIRED, TOPIC, changed, verify) == BODY
    except Invalid:
        assert changed != payload


@both_keys
def test_another_topic_another_key_and_no_signature_are_refused(pair: tuple[Sign, Verify]) -> None:
    sign, verify = pair
    payload = trust.seal(fleet.DESIRED, TOPIC, BODY, sign)
    with pytest.raises(Invalid, match="sig: does not fit"):
        trust.unseal(fleet.DESIRED, TOPIC.replace("esp-1", "esp-2"), payload, verify)
    with pytest.raises(Invalid, match="sig: does not fit"):
        trust.unseal(
            fleet.DESIRED,
            TOPIC,
            trust.seal(fleet.DESIRED, TOPIC, BODY, lambda _: b"x" * 64),
            verify,
        )
    for envelope in (
        {"body": wire.dumps(BODY).decode()},
        {"sig": "", "body": "{}"},
        {"sig": "é", "body": "{}"},
        BODY,
    ):
        with pytest.raises(Invalid):
            trust.unseal(fleet.DESIRED, TOPIC, wire.dumps(envelope), verify)


@both_keys
def test_a_signed_body_is_checked_too(pair: tuple[Sign, Verify]) -> None:
    sign, verify = pair
    body = '{"rev": 0}'
    envelope = {
        "sig": __import__("base64").b64encode(sign(trust.signed_text(TOPIC, body))).decode(),
        "body": body,
    }
    with pytest.raises(Invalid, match="rev"):
        trust.unseal(fleet.DESIRED, TOPIC, wire.dumps(envelope), verify)


def test_what_does_not_fit_is_not_sealed() -> None:
    sign, _ = hmac_pair()
    with pytest.raises(Invalid, match=f"at most {MAX_PAYLOAD}"):
        trust.seal(fleet.DESIRED, TOPIC, {**BODY, "data": "x" * (MAX_PAYLOAD - 100)}, sign)
    with pytest.raises(Invalid, match="epoch: missing"):
        trust.seal(fleet.DESIRED, TOPIC, {"rev": 1, "data": 1}, sign)


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 4)), max_size=20))
def test_revisions_and_epochs_only_rise(told: list[tuple[int, int]]) -> None:
    seen: dict[str, Any] = {}
    for rev, epoch in told:
        highest_rev, highest_epoch = seen.get("revs", {}).get("settings", 0), seen.get("epoch", 0)
        body = {"rev": rev, "epoch": epoch, "data": 1}
        error = refusal(judge.accept_desired, seen, "settings", body)
        if error is not None:
            assert error.field == ("epoch" if epoch < highest_epoch else "rev")
            assert epoch < highest_epoch or rev < highest_rev
            continue
        after, fresh = judge.accept_desired(seen, "settings", body)
        assert fresh == (rev > highest_rev)
        assert (after["revs"]["settings"], after["epoch"]) == (rev, epoch)
        assert rev >= highest_rev
        assert epoch >= highest_epoch
        seen = after


COMMAND: dict[str, Any] = {"id": "c-1", "exp": 2_000, "epoch": 5, "args": {}}


@pytest.mark.parametrize(
    ("change", "now", "retained", "field"),
    [
        ({}, 2_001, False, "exp"),
        ({}, 1_000, True, "retain"),
        ({"epoch": 4}, 1_000, False, "epoch"),
        ({"id": "c-0"}, 1_000, False, "id"),
        ({"boot": "other"}, 1_000, False, "boot"),
        ({}, 0, False, "boot"),
        ({"boot": "other"}, 0, False, "boot"),
    ],
)
def test_commands_that_are_refused(change: dict[str, Any], now: int, retained: bool, field: str) -> None:
    seen = {"epoch": 5, "ids": ["c-0"]}
    with pytest.raises(Invalid) as refused:
        judge.accept_command(seen, {**COMMAND, **change}, now, "boot-1", retained)
    assert refused.value.field == field
    assert seen == {"epoch": 5, "ids": ["c-0"]}


def test_a_command_acts_once() -> None:
    seen: dict[str, Any] = {"epoch": 5, "revs": {"settings": 3}}
    after = judge.accept_command(seen, COMMAND, 1_000, "boot-1")
    with pytest.raises(Invalid, match="id: was used before"):
        judge.accept_command(after, COMMAND, 1_001, "boot-1")
    assert after["revs"] == {"settings": 3}
    assert judge.accept_command(seen, {**COMMAND, "boot": "boot-1"}, 0, "boot-1")["ids"] == ["c-1"]
    for number in range(2, judge.REMEMBERED_IDS + 5):
        after = judge.accept_command(after, {**COMMAND, "id": f"c-{number}"}, 1_000, "boot-1")
    assert len(after["ids"]) == judge.REMEMBERED_IDS
