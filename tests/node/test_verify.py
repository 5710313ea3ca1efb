"""What a board checks of a message is what schema/message.py checks: the same verdict on all that it receives."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esp_node import verify
from esp_node.received import RECEIVED
from schema import fleet, wire
from schema.errors import Invalid

GOOD: dict[str, dict[str, Any]] = {
    "sealed": {"sig": "c2ln", "body": "{}"},
    "desired": {"rev": 1, "epoch": 0, "data": {"a": [1, None, 2.5, "ä"]}},
    "cmd": {"id": "c-1", "exp": 0, "epoch": -1, "boot": "B_1", "args": {}},
    "blob/data": {"sha256": "0" * 64, "offset": 0, "total": 3, "data": b"\0ab"},
    "enrol/res": {"nonce": "N", "node": "n-1", "password": "p", "verify": "v", "epoch": 2, "error": "e"},
}
DEEP: Any = 1
for _ in range(9):
    DEEP = [DEEP]
EDGES = st.sampled_from(
    [
        *(0, -1, 1, 2**53 - 1, 2**53, 2**63 - 1, -(2**63), 1.5, True, None),
        *("", "a", "A", "-a", "_", "a" * 63, "a" * 64),
        *("a" * 65, "x" * 128, "x" * 129, "x" * 257, "a\x00", "ä", "/", [], {}, {"k" * 257: 1}),
        *(DEEP, DEEP[0], {"": {}}),
    ]
)  # fmt: skip
JSON = st.recursive(
    EDGES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
)


def verdict(read: Any) -> str:
    try:
        read()
    except Invalid as error:
        return error.field
    return "valid"


def test_every_message_that_a_board_receives_has_a_good_one_here() -> None:
    assert set(GOOD) == set(RECEIVED)


@pytest.mark.parametrize("key", sorted(GOOD))
@given(data=st.data())
def test_the_same_verdict(key: str, data: st.DataObject) -> None:
    message = wire.SEALED if key == "sealed" else fleet.MESSAGES[key]
    body = dict(GOOD[key])
    for name in data.draw(st.lists(st.sampled_from([*body, "other", "sïg"]), max_size=2)):
        if data.draw(st.booleans()):
            body.pop(name, None)
        else:
            body[name] = data.draw(JSON)
    payload = wire.pack(body) if key == "blob/data" else wire.dumps(body)

    def checked() -> None:
        from schema.message import check

        check(message, wire.loads(payload))

    assert (verdict(checked) == "valid") == (verdict(lambda: verify.read(key, payload)) == "valid")


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"null", b"\xc1", b"\x81", b"{}{}", b'"x"', b"\xff\xfe"])
@pytest.mark.parametrize("key", sorted(GOOD))
def test_what_is_no_message(key: str, payload: bytes) -> None:
    with pytest.raises(Invalid):
        verify.read(key, payload)


@pytest.mark.parametrize("key", sorted(GOOD))
def test_msgpack_is_read_too(key: str) -> None:
    assert verify.read(key, wire.pack(GOOD[key])) == GOOD[key]
