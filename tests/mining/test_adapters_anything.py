"""Whatever may come from a miner ends in figures that can be sent, or in BadAnswer."""

import json
import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentry.mining.answer import closed
from sentry.mining.miners import BadAnswer, adapter
from tests.mining.test_adapters import CASES, NAMES, sendable
from tests.support.replay import answers

thorough = settings(max_examples=150)


def outcome(name: str, got: Sequence[bytes]) -> None:
    """Figures that can be sent, or BadAnswer; nothing else is raised."""
    try:
        figures = adapter(name).read(got)
    except BadAnswer:
        return
    sendable(figures)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
SAMPLES = [(name, case) for name, case in CASES if not case.startswith("fault-cut")]


def numbers_replaced(value: Any, new: Any) -> Any:
    if isinstance(value, dict):
        return {name: numbers_replaced(each, new) for name, each in value.items()}
    if isinstance(value, list):
        return [numbers_replaced(each, new) for each in value]
    return new if isinstance(value, int | float) and not isinstance(value, bool) else value


@pytest.mark.parametrize("new", [math.inf, math.nan, -1, 1e308, "1e999", "", None, True, [], {}], ids=repr)
def test_recorded_answers_with_all_numbers_replaced(new: Any) -> None:
    for name, case in SAMPLES:
        try:
            got = [json.dumps(numbers_replaced(json.loads(each), new)).encode() for each in answers(name, case)]
        except ValueError:
            continue  # one of them is no JSON
        outcome(name, got)


@thorough
@given(st.sampled_from(NAMES), st.lists(st.binary(max_size=80) | ANYTHING.map(lambda v: json.dumps(v).encode())))
def test_any_answer(name: str, got: list[bytes]) -> None:
    asks = len(adapter(name).asks)
    outcome(name, (got + [b""] * asks)[:asks])


def spoiled(value: Any, draw: st.DrawFn, chance: int) -> Any:
    """The same with some values replaced by anything, and some left out."""
    if draw(st.integers(0, chance)) == 0:
        return draw(ANYTHING)
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if draw(st.integers(0, 2 * chance))}
        return {name: spoiled(each, draw, chance) for name, each in kept.items()}
    return [spoiled(each, draw, chance) for each in value] if isinstance(value, list) else value


@st.composite
def spoiled_answers(draw: st.DrawFn) -> tuple[str, list[bytes]]:
    name, case = draw(st.sampled_from(SAMPLES))
    found: list[bytes] = []
    for got in answers(name, case):
        try:
            found.append(json.dumps(spoiled(json.loads(got), draw, draw(st.sampled_from((8, 60))))).encode())
        except ValueError:
            found.append(got)
    return name, found


@thorough
@given(spoiled_answers())
def test_recorded_answers_with_other_values_in_them(given: tuple[str, list[bytes]]) -> None:
    outcome(*given)


@thorough
@given(st.sampled_from(CASES), st.data())
def test_recorded_answers_cut_and_overwritten(case: tuple[str, str], data: st.DataObject) -> None:
    got = answers(*case)
    place = data.draw(st.integers(0, len(got) - 1))
    at = data.draw(st.integers(0, len(got[place])))
    tail = data.draw(st.just(b"") | st.binary(max_size=4).map(lambda new: new + got[place][at + len(new) :]))
    got[place] = got[place][:at] + tail
    outcome(case[0], got)


@thorough
@given(st.dictionaries(st.text(max_size=4), ANYTHING, min_size=1), st.data())
def test_json_that_ends_early_is_closed(value: dict[str, Any], data: st.DataObject) -> None:
    """What is left is a beginning of it: never another value."""
    text = json.dumps(value)
    cut = closed(text[: data.draw(st.integers(0, len(text) - 1))])
    if cut:
        assert begins(json.loads(text), json.loads(cut))


def begins(value: Any, begun: Any) -> bool:
    if isinstance(value, dict) and isinstance(begun, dict):
        return all(name in value and begins(value[name], each) for name, each in begun.items())
    if isinstance(value, list) and isinstance(begun, list):
        return len(begun) <= len(value) and all(begins(a, b) for a, b in zip(value, begun, strict=False))
    return repr(value) == repr(begun)  # also where it is not a number
