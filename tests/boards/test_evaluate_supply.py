"""Which board gets which bitstreams of a batch, and when."""

import pytest

from commander.evaluate_supply import HOLD_S, MOST_OUT, RETRY_S, Supply
from commander.show import Item

BOARDS = ["a", "b", "c"]


def files(number: int) -> list[Item]:
    return [{"name": str(each), "sha256": "0"} for each in range(number)]


def given(supply: Supply, now: float = 0, **wrong: str) -> dict[str, list[str]]:
    """One round of calls: what each board was asked."""
    found: dict[str, list[str]] = {}
    for serials, part in supply.next(now):
        supply.answered(serials, part, {serial: wrong[serial] for serial in serials if serial in wrong}, now)
        found |= {serial: [each["name"] for each in part] for serial in serials}
    return found


@pytest.mark.parametrize("spread", [False, True])
def test_more_than_a_sentry_takes_goes_out_bit_by_bit(spread: bool) -> None:
    supply = Supply(files(3_000), BOARDS, spread)
    out: dict[str, set[str]] = {serial: set() for serial in BOARDS}
    first = given(supply)
    assert first == ({"a": ["0"], "b": ["1"], "c": ["2"]} if spread else {serial: ["0"] for serial in BOARDS})
    results: list[tuple[str, str]] = []
    asked = first
    while any(asked.values()) or any(out.values()):
        for serial, names in asked.items():
            out[serial] |= set(names)
        assert max(map(len, out.values())) <= MOST_OUT
        for serial, names in out.items():
            if names:
                results.append((serial, names.pop()))
                assert supply.has_result(*results[-1])
        asked = given(supply)
    assert len(results) == len(set(results)) == supply.done == supply.expected == (3_000 if spread else 9_000)
    assert {name for _, name in results} == {str(number) for number in range(3_000)}
    assert not supply.has_result(*results[0]), "once"


def test_boards_that_are_as_far_are_called_together() -> None:
    supply = Supply(files(5), BOARDS, spread=False)
    assert [(serials, len(part)) for serials, part in supply.next(0)] == [(BOARDS, 1)]


def test_a_board_that_takes_nothing_leaves_its_share_to_the_others() -> None:
    spread, all_on_all = Supply(files(4), BOARDS, spread=True), Supply(files(4), BOARDS, spread=False)
    for supply in (spread, all_on_all):
        given(supply, a="out of order")
        assert supply.problems == {"a": "out of order"}
    assert (spread.expected, all_on_all.expected) == (4, 8)
    assert given(spread) == {"b": ["0"], "c": ["3"]}
    nobody = Supply(files(4), ["a"], spread=True)
    given(nobody, a="out of order")
    assert nobody.expected == 0


def test_a_board_that_took_some_is_waited_for() -> None:
    supply = Supply(files(3), ["a"], spread=False)
    given(supply)
    assert given(supply, 10, a="is healed") == {"a": ["1", "2"]}
    assert given(supply, 10 + RETRY_S / 2) == {}
    assert given(supply, 10 + RETRY_S, a="is healed") == {"a": ["1", "2"]}
    assert not supply.problems
    assert given(supply, 11 + HOLD_S, a="is healed") == {"a": ["1", "2"]}
    assert supply.problems == {"a": "is healed"}
    assert supply.expected == 1, "what it took may still come"


def test_what_a_sentry_forgot_is_sent_once_more() -> None:
    supply = Supply(files(1), ["a"], spread=False)
    for _ in range(2):
        assert given(supply) == {"a": ["0"]}
        supply.lost("a")
    assert given(supply) == {}
    assert (supply.expected, supply.has_result("a", "0"), supply.done) == (1, True, 1)


def test_what_a_board_had_whose_lease_has_ended_is_for_those_who_share_with_it() -> None:
    spread, all_on_all = Supply(files(3), ["a", "b"], spread=True), Supply(files(3), ["a", "b"], spread=False)
    for supply in (spread, all_on_all):
        given(supply)
        supply.gone("a", "expired")
        assert supply.problems == {"a": "its lease has ended (expired)"}
        assert not supply.has_result("a", "0")
        assert supply.expected == 3
    assert given(spread) == {"b": ["0", "2"]}
    spread.gone("b", "expired")
    assert spread.expected == 0
