"""Data for the declarations: valid values of every kind, and payloads wrong in some way."""

import string
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from schema import wire
from schema.message import INT_MAX, INT_MIN, TIME_MAX, Invalid, Message
from schema.mining import RECORDS
from schema.units import UNITS

ID = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,62}", fullmatch=True)
NAME = st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=64)
TEXT = st.characters(codec="utf-8", exclude_characters="\x00")
NUMBER = st.integers(INT_MIN, INT_MAX) | st.floats(allow_nan=False, allow_infinity=False)
SCALAR = st.none() | st.booleans() | NUMBER | st.text(TEXT, max_size=40)
JSON = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(TEXT, max_size=8), inner, max_size=4),
    max_leaves=8,
)
PLAIN = {
    "int": st.integers(INT_MIN, INT_MAX),
    "num": NUMBER,
    "bool": st.booleans(),
    "time": st.integers(0, TIME_MAX),
    "text": st.text(TEXT, max_size=60),
    "id": ID,
    "name": NAME,
    "bytes": st.binary(max_size=80),
    "scalar": SCALAR,
    "json": JSON,
    "units": st.dictionaries(NAME, st.dictionaries(NAME, st.sampled_from(UNITS), max_size=3), max_size=3),
}


def refusal(work: Callable[..., Any], *arguments: Any) -> Invalid | None:
    """The error of a call that may raise Invalid, and nothing else."""
    try:
        work(*arguments)
    except Invalid as error:
        return error
    return None


def values(kind: str) -> st.SearchStrategy[Any]:
    """Valid values of a kind of field."""
    word, _, rest = kind.partition(" ")
    if not rest:
        return PLAIN[word]
    match word:
        case "int":
            low, high = rest.split("..")
            return st.integers(int(low), int(high))
        case "text":
            return st.text(TEXT, max_size=min(int(rest), 60))
        case "word":
            return st.sampled_from(rest.split(" "))
        case "list":
            return st.lists(values(rest), max_size=4)
        case "map":
            return st.dictionaries(NAME, values(rest), max_size=4)
        case "record":
            return data(RECORDS[rest])
        case _:
            raise ValueError(kind)


def data(message: Message) -> st.SearchStrategy[Any]:
    """Valid data of a message: str for a word, else list or dict."""
    if message.body == "word":
        return values(message.fields[0][1])
    if message.body == "frame":
        return st.lists(JSON, max_size=4)
    fields = [(name.removesuffix("?"), name.endswith("?"), values(kind)) for name, kind, *_ in message.fields]
    declared = st.fixed_dictionaries(
        {name: value for name, optional, value in fields if not optional},
        optional={name: value for name, optional, value in fields if optional},
    )
    if not message.extra:
        return declared
    names = NAME.filter(lambda name: name not in {each for each, *_ in fields})
    return st.builds(
        lambda more, sure: more | sure,
        st.dictionaries(names, values(message.extra), max_size=3),
        declared,
    )


def is_binary_only(message: Message) -> bool:
    return any(kind == "bytes" for _, kind, *_ in message.fields)


@st.composite
def payloads(draw: st.DrawFn, message: Message) -> bytes:
    """Payloads near to valid ones: untouched, truncated, changed, with another field or another type, or random."""
    if message.body == "word":
        return draw(values(message.fields[0][1]).map(str.encode) | st.binary(max_size=20) | st.just(b""))
    binary = is_binary_only(message) or draw(st.booleans())
    made = draw(data(message))
    how = draw(
        st.sampled_from(
            [
                "valid",
                "valid",
                "valid",
                "cut",
                "flip",
                "swap",
                "drop",
                "add",
                "long",
                "json",
                "random",
            ]
        )
    )
    if isinstance(made, dict) and made:
        name = draw(st.sampled_from(sorted(made)))
        if how == "swap":
            made = {
                **made,
                name: draw(JSON | st.just(2**63) | st.just("\ud800" if not binary else -1)),
            }
        elif how == "drop":
            made = {key: value for key, value in made.items() if key != name}
        elif how == "add":
            made = {**made, draw(NAME): draw(JSON)}
        elif how == "long":
            made = {**made, name: "x" * draw(st.integers(60, 2_000))}
    if how == "json":
        made = draw(JSON)
    if how == "random":
        return draw(st.binary(max_size=60))
    try:
        payload = wire.pack(made) if binary else wire.dumps(made)
    except (ValueError, TypeError, OverflowError):  # what no encoder writes
        payload = b'{"ts": "\\ud800"}'
    if how == "cut":
        return payload[: draw(st.integers(0, len(payload)))]
    if how == "flip" and payload:
        at = draw(st.integers(0, len(payload) - 1))
        return payload[:at] + bytes([draw(st.integers(0, 255))]) + payload[at + 1 :]
    return payload
