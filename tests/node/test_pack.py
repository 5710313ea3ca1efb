"""The writer against PyPI's msgpack: any value, any place in a buffer, any room."""

from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esp_node.framing import Frames
from schema.errors import Invalid
from schema.pack import pack_into
from tests.node.test_both import VALUES

NUMBERS = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(-1e6, 1e6)


@given(VALUES, st.integers(0, 9), st.integers(0, 9))
def test_pack_into_writes_the_bytes_of_msgpack(value: Any, at: int, more: int) -> None:
    expected: Any = msgpack.packb(value)
    buffer = bytearray(b"\xaa" * (at + len(expected) + more))
    assert pack_into(buffer, at, value) == at + len(expected)
    assert buffer == b"\xaa" * at + expected + b"\xaa" * more


@given(VALUES, st.floats(0, 0.999))
def test_too_small_a_buffer_is_named_and_stays_as_long(value: Any, part: float) -> None:
    room = int(len(msgpack.packb(value) or b"") * part)
    buffer = bytearray(room)
    with pytest.raises(Invalid, match=f"larger than the buffer of {room} bytes"):
        pack_into(buffer, 0, value)
    assert len(buffer) == room


@given(st.lists(NUMBERS, min_size=1, max_size=40), st.integers(1, 20), st.integers(0, 6))
def test_frames_are_what_msgpack_writes_of_scaled_numbers(samples: list[Any], values: int, digits: int) -> None:
    out: list[bytes] = []
    frames = Frames(0, values, (digits,), 18 + 9 * values)
    frames.emit = lambda payload: out.append(bytes(payload))
    for ts, sample in enumerate(samples):
        frames.add(ts, sample)
    scaled = [s if s is None or isinstance(s, bool) else round(s * 10**digits) for s in samples]
    whole = len(samples) // values
    assert out == [msgpack.packb([n, n * values, scaled[n * values : (n + 1) * values]]) for n in range(whole)]
