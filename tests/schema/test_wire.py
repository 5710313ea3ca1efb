"""Every declaration: valid data survives the wire, anything else is Invalid and nothing else."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schema import wire
from schema.fleet import BLOB_DATA, EVT, INFO, TELE
from schema.message import (
    INT_MAX,
    MAX_DEPTH,
    MAX_ITEMS,
    MAX_PAYLOAD,
    TIME_MAX,
    Invalid,
    Message,
    check,
)
from schema.messages import MESSAGES
from tests.schema.strategies import data, is_binary_only, payloads, refusal

each_message = pytest.mark.parametrize("message", MESSAGES.values(), ids=list(MESSAGES))
thorough = settings(max_examples=20)
ENVELOPE = {"sig": "c2ln", "body": "{}"}


def same(a: Any, b: Any) -> bool:
    return a == b or repr(a) == repr(b)


@each_message
@thorough
@given(random=st.data())
def test_valid_data_survives(message: Message, random: st.DataObject) -> None:
    made = random.draw(data(message))
    check_only = message.body == "signed"
    for binary in (False, True):
        if is_binary_only(message) and not binary:
            continue
        if check_only:
            check(message, made)
            assert same(wire.loads(wire.pack(made) if binary else wire.dumps(made)), made)
        else:
            assert same(wire.decode(message, wire.encode(message, made, binary)), made)


@each_message
@thorough
@given(random=st.data())
def test_other_payloads_are_invalid_and_nothing_else(message: Message, random: st.DataObject) -> None:
    payload = random.draw(payloads(message))
    error = refusal(wire.decode, message, payload)
    if error is not None:
        assert error.field
        assert error.problem.isprintable()
    elif message.body == "word":
        assert wire.decode(message, payload).encode() == payload
    elif message.body != "signed":
        check(message, wire.decode(message, payload))


@each_message
@pytest.mark.parametrize("payload", [b"", b"{", b"[", b"\xc1", b'{"a":', b"nul", b"\xff" * 9, b"{}x", b"\x00"])
def test_fragments_are_invalid(message: Message, payload: bytes) -> None:
    with pytest.raises(Invalid):
        wire.decode(message, payload)


@each_message
def test_oversized_is_refused_before_it_is_read(message: Message) -> None:
    with pytest.raises(Invalid, match=f"at most {MAX_PAYLOAD}"):
        wire.decode(message, b"[" * (MAX_PAYLOAD + 1))


def test_oversized_is_not_written() -> None:
    with pytest.raises(Invalid, match=f"at most {MAX_PAYLOAD}"):
        wire.encode(EVT, {"ts": 0, "stream": "s", "seq": 1, "text": "x" * (MAX_PAYLOAD - 20)})


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b"\x91", b"\x81\xa1a"])
def test_deep_nesting_does_not_reach_a_stack(opening: bytes) -> None:
    with pytest.raises(Invalid):
        wire.loads(opening * (MAX_PAYLOAD // len(opening)))


def test_nesting_within_the_limit_is_read() -> None:
    deep: Any = 1
    for _ in range(MAX_DEPTH - 1):
        deep = [deep]
    event = {"ts": 0, "stream": "s", "seq": 1, "deep": deep}
    assert wire.decode(EVT, wire.encode(EVT, event)) == event
    with pytest.raises(Invalid, match="deep: must be at most 8 levels"):
        check(EVT, {**event, "deep": [[deep]]})


def test_brackets_in_text_are_no_depth() -> None:
    event = {"ts": 0, "stream": "s", "seq": 1, "text": '[{"\\' * 50}
    assert wire.decode(EVT, wire.encode(EVT, event)) == event


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"ts": -1}, "ts"),
        ({"ts": TIME_MAX + 1}, "ts"),
        ({"ts": True}, "ts"),
        ({"ts": 1.0}, "ts"),
        ({"seq": 0}, "seq"),
        ({"stream": "a/b"}, "stream"),
        ({"cpu": float("nan")}, "cpu"),
        ({"cpu": float("inf")}, "cpu"),
        ({"cpu": [1]}, "cpu"),
        ({"cpu": "a\x00b"}, "cpu"),
        ({"cpu": "\ud800"}, "cpu"),
        ({"cpu": INT_MAX + 1}, "cpu"),
        ({"c p": 1}, "c p"),
        ({"": 1}, "(empty)"),
    ],
)
def test_the_refusal_names_the_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        check(TELE, {"ts": 0, "stream": "s", "seq": 1, **change})
    assert refused.value.field == field


def test_unknown_missing_and_wrong_unit() -> None:
    birth = {
        "schema": 1,
        "boot": "b",
        "kind": "esp",
        "software": "s",
        "alive_ms": 1000,
        "parts": {"a": {"t": "°C"}},
    }
    check(INFO, birth)
    with pytest.raises(Invalid, match=r"colour: unknown field; allowed: .*software"):
        check(INFO, {**birth, "colour": 1})
    with pytest.raises(Invalid, match="boot: missing"):
        check(INFO, {key: value for key, value in birth.items() if key != "boot"})
    with pytest.raises(Invalid, match=r"parts\.a\.t: unit furlong is not allowed; use one of: .*kWh"):
        check(INFO, {**birth, "parts": {"a": {"t": "furlong"}}})
    with pytest.raises(Invalid, match="kind: must be one of: asic"):
        check(INFO, {**birth, "kind": "tractor"})


def test_too_many_items() -> None:
    with pytest.raises(Invalid, match=f"at most {MAX_ITEMS}"):
        check(EVT, {"ts": 0, "stream": "s", "seq": 1, "list": [0] * (MAX_ITEMS + 1)})


def test_binary_needs_msgpack() -> None:
    block = {"sha256": "0" * 64, "offset": 0, "total": 3, "data": b"\x00\xff\x7b"}
    assert wire.decode(BLOB_DATA, wire.encode(BLOB_DATA, block, binary=True)) == block
    with pytest.raises(Invalid, match="data: must be binary"):
        wire.decode(BLOB_DATA, wire.dumps({**block, "data": "abc"}))


def test_msgpack_of_strangers() -> None:
    """Timestamps, extension types and keys that are no text."""
    for payload in (
        b"\xd6\xff\x00\x00\x00\x00",
        b"\xc7\x01\x05x",
        b"\x81\x01\x02",
        b"\x81\xc4\x01a\x02",
        b"\x81\x90\x01",
    ):
        with pytest.raises(Invalid):
            wire.decode(EVT, payload)
