"""Topics: what is built can be parsed again, and nothing else is accepted."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schema import tokens, topics
from schema.fleet import TELE
from schema.message import Invalid, Message
from schema.messages import MESSAGES
from tests.schema.strategies import ID, NAME, refusal

each_message = pytest.mark.parametrize("message", MESSAGES.values(), ids=list(MESSAGES))


@each_message
@settings(max_examples=10)
@given(root=ID, domain=ID, node=ID, device=ID, name=NAME, to=ID)
def test_round_trip(message: Message, root: str, domain: str, node: str, device: str, name: str, to: str) -> None:
    address = topics.parse(topics.build(message, root, domain, node, device, name, to), root)
    assert topics.declaration(MESSAGES, address) is (MESSAGES.get(f"{message.key}/{name}") or message)
    given_levels = {"domain": domain, "node": node, "device": device, "name": name, "to": to}
    for level in message.topic.split("/"):
        if level.startswith("{"):
            assert getattr(address, level[1:-1]) == given_levels[level[1:-1]]


@settings(max_examples=200)
@given(
    st.text()
    | st.lists(
        st.sampled_from(["farm", "_", "a", "self", "tele", "job", "enrol", "+", "#", "", "A b"]),
        max_size=9,
    )
)
def test_anything_else_is_invalid_and_nothing_else(topic: str | list[str]) -> None:
    text = topic if isinstance(topic, str) else "/".join(topic)
    error = refusal(topics.parse, text, "farm")
    if error is not None:
        assert error.field.startswith("topic")
    else:
        assert text.startswith("farm/")
        topics.declaration(MESSAGES, topics.parse(text, "farm"))


@pytest.mark.parametrize("level", ["", "a b", "a.b", "$SYS", "+", "#", "Ä", "A", "_x", "x" * 64, "a/b"])
def test_levels_outside_the_alphabet_are_not_built(level: str) -> None:
    for field in ("domain", "node", "device"):
        with pytest.raises(Invalid, match=f"{field}: must match"):
            topics.build(TELE, "farm", **{"domain": "a", "node": "b", "name": "c", field: level})


def test_a_topic_of_another_farm() -> None:
    with pytest.raises(Invalid, match="must begin with farm"):
        topics.parse("garden/a/b/self/state", "farm")


def test_a_long_topic() -> None:
    with pytest.raises(Invalid, match="at most 512"):
        topics.parse("farm/" + "a/" * 400, "farm")


@settings(max_examples=100)
@given(
    domain=ID,
    token=ID,
    secret=st.text("abcXYZ-_09", min_size=20, max_size=43),
    fingerprint=st.text("0123456789abcdef", max_size=64),
)
def test_tokens_round_trip(domain: str, token: str, secret: str, fingerprint: str) -> None:
    text = tokens.build(domain, token, secret, fingerprint)
    assert tokens.parse(text) == (domain, token, secret, fingerprint)
    assert text.isascii()
    assert " " not in text


@settings(max_examples=100)
@given(st.text(max_size=80), st.integers(0, 90))
def test_damaged_tokens_are_invalid_and_nothing_else(text: str, cut: int) -> None:
    whole = tokens.build("barn", "t-1", "secret", "")
    for damaged in (text, tokens.PREFIX + text, whole[:cut]):
        error = refusal(tokens.parse, damaged)
        assert error is None or error.field.startswith("token")
