"""Marks of streams against the plainest model there is: a set of numbers."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from commander.fleet import marks

RANGES = st.tuples(st.integers(1, 60), st.sampled_from([0, 0, 0, 1, 5])).map(lambda pair: (pair[0], pair[0] + pair[1]))


def model_mark(stored: set[int]) -> int:
    return next(number for number in range(len(stored) + 1) if number + 1 not in stored)


@settings(max_examples=300)
@given(st.lists(RANGES, max_size=60))
def test_any_order_any_duplicates_any_gaps(told: list[tuple[int, int]]) -> None:
    mark, ahead = 0, []
    stored: set[int] = set()
    for low, high in told:
        noted = marks.note(mark, ahead, low, high)
        assert noted is not None
        before = [list(each) for each in ahead]
        assert (noted == (mark, ahead)) == (set(range(low, high + 1)) <= stored)
        assert ahead == before, "ranges are shared with readers and must not change in place"
        mark, ahead = noted
        stored |= set(range(low, high + 1))
        assert mark == model_mark(stored)
        assert [n for n in range(70) if n and marks.is_stored(mark, ahead, n)] == sorted(stored)
        assert all(a[1] + 1 < b[0] for a, b in pairwise(ahead))
        assert not ahead or ahead[0][0] > mark + 1


@given(st.permutations(range(1, 20)))
def test_all_in_the_end(order: list[int]) -> None:
    mark, ahead = 0, []
    for seq in order:
        mark, ahead = marks.note(mark, ahead, seq, seq) or (0, [])
    assert (mark, ahead) == (19, [])


def test_too_many_holes_are_refused_and_the_first_number_still_fits() -> None:
    mark, ahead = 0, []
    for seq in range(2, 2 * marks.MAX_RANGES + 2, 2):
        mark, ahead = marks.note(mark, ahead, seq, seq) or (0, [])
    assert len(ahead) == marks.MAX_RANGES
    assert marks.note(mark, ahead, 1000, 1000) is None
    assert marks.note(mark, ahead, 1, 1) == (2, ahead[1:])
    assert marks.note(mark, ahead, 1, 999) == (999, [])
