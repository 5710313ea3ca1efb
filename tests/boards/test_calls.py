"""What boards tell becomes rows of results, whatever it is."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from commander.boards.calls import FAILED, RESULTS, results
from commander.effects import Moment
from schema.topics import Address
from schema.wire import dumps

AT = Address("evt", domain="house", node="boards", device="e66", name="board")
MOMENT = Moment(1_700_000_000_000, bytes)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def rows(event: str, contents: Any) -> list[dict[str, Any]]:
    told = {"ts": 5, "stream": "s", "seq": 1, "event": event, "lease": "l-1", "contents": contents}
    return [add.row for add in results(AT, told, "ann", MOMENT)]


def test_each_result_is_a_row() -> None:
    found = rows(RESULTS, {"batch": "b", "results": [["one", 7], ["two", 1.5]], "gate_ms": 10, "took_ms": 1004})
    assert [(row["evaluation"], row["value"], row["problem"]) for row in found] == [("one", 7, ""), ("two", 1.5, "")]
    assert {(row["serial"], row["user"], row["batch"], row["gate_ms"], row["took_ms"]) for row in found} == {
        ("e66", "ann", "b", 10, 1004)
    }


def test_a_failure_is_a_row_with_its_problem() -> None:
    for cause in ({}, {"cause": "board"}):
        (row,) = rows(FAILED, {"batch": "b", "evaluation": "one", "problem": "no answer", **cause})
        assert (row["evaluation"], row["value"], row["problem"]) == ("one", None, "no answer")
        assert row["cause"] == cause.get("cause", "")


def test_other_events_are_no_results() -> None:
    assert rows("state", {"from": "ready", "to": "broken"}) == []


@given(
    st.sampled_from((RESULTS, FAILED, "state")),
    ANYTHING | st.fixed_dictionaries({"batch": ANYTHING, "results": st.lists(ANYTHING, max_size=3)}),
)
def test_whatever_a_board_tells_can_be_stored(event: str, contents: Any) -> None:
    for row in rows(event, contents):
        dumps(row)
        assert all(isinstance(row[name], str) for name in ("batch", "evaluation", "problem", "cause", "serial", "user"))
