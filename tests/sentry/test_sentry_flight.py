"""The window rule: bounds, patience, and that nothing stays behind on a lossy way."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from sentry import flight as flights

RULE = flights.Rule(least=50, most=2000, still_s=5, still_most_s=60)


def test_progress_widens_up_to_the_most() -> None:
    flight = flights.begin(RULE, 0, 0.0)
    windows: list[int] = []
    for now in range(1, 8):
        flight = flights.on_sent(flight, flight.limit, now)
        flight = flights.on_mark(flight, RULE, flight.sent, now)
        windows.append(flight.window)
    assert windows == [400, 800, 1600, 2000, 2000, 2000, 2000]


def test_a_mark_that_stands_still_sends_again_and_halves() -> None:
    flight = flights.on_sent(flights.begin(RULE, 10, 0.0), 110, 1.0)
    assert flights.on_tick(flight, RULE, 5.9) == flight
    again = flights.on_tick(flight, RULE, 6.0)
    assert (again.sent, again.window, again.resent) == (10, 100, 1)
    waits: list[float] = []
    for _ in range(6):
        again = flights.on_sent(again, 20, again.since)
        waits.append(again.wait_s)
        again = flights.on_tick(again, RULE, again.since + again.wait_s)
    assert waits == [10, 20, 40, 60, 60, 60]
    assert again.window == RULE.least
    assert flights.on_mark(again, RULE, 15, 500).wait_s == 5


def test_nothing_under_way_is_not_standing_still() -> None:
    flight = flights.begin(RULE, 10, 0.0)
    assert flights.on_tick(flight, RULE, 1000.0) == flight
    sent = flights.on_sent(flight, 11, 1000.0)
    assert flights.on_tick(sent, RULE, 1004.0) == sent


def test_a_new_connection_repeats_what_may_have_been_under_way() -> None:
    flight = flights.on_sent(flights.begin(RULE, 10, 0.0), 900, 1.0)
    assert flights.connected(flight, RULE, 2.0).sent == 10
    assert flights.connected(flight, RULE, 2.0, hears_marks=False).sent == 700


def test_an_older_mark_changes_nothing() -> None:
    flight = flights.begin(RULE, 10, 0.0)
    assert flights.on_mark(flight, RULE, 9, 3.0) == flight


@given(st.integers(), st.floats(0, 0.9), st.integers(1, 3000))
def test_everything_arrives_however_much_is_lost(seed: int, loss: float, count: int) -> None:
    chance = Random(seed).random
    flight = flights.begin(RULE, 0, 0.0)
    stored: set[int] = set()
    now, mark = 0.0, 0
    while mark < count:
        now += 1
        assert now < 200_000
        flight = flights.on_tick(flight, RULE, now)
        last = min(count, flight.limit)
        stored |= {seq for seq in range(flight.sent + 1, last + 1) if chance() >= loss}
        if last > flight.sent:
            flight = flights.on_sent(flight, last, now)
        while mark + 1 in stored:
            mark += 1
        flight = flights.on_mark(flight, RULE, mark, now)
        assert RULE.least <= flight.window <= RULE.most
        assert flight.mark <= flight.sent


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_pauses_grow_and_are_bounded(attempt: int, chance: float) -> None:
    pause = flights.retry_pause(attempt, 1, 60, chance)
    assert min(60, 2 ** min(attempt - 1, 6)) / 2 <= pause <= 60
