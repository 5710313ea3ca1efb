"""Whatever boards do, no piece of a batch is lost, and none is done twice."""

from collections import Counter
from typing import Any

from farmhand_client import Evaluation
from farmhand_client.supply import PART, WINDOW, Piece, Supply
from hypothesis import given
from hypothesis import strategies as st

BOARDS = "abcd"
STEPS = st.tuples(st.sampled_from(["take", "done", "take_back", "leave", "join", "hopeless"]), st.sampled_from(BOARDS))


@given(st.booleans(), st.lists(st.sets(st.sampled_from(BOARDS), min_size=1), max_size=50), st.lists(STEPS))
def test_each_piece_comes_to_one_end(spread: bool, given: list[set[str]], steps: list[tuple[str, str]]) -> None:
    pieces = [Piece(f"{number}", Evaluation(serials, "x.bin")) for number, serials in enumerate(given)]
    supply = Supply(pieces, spread)
    wanted = Counter(
        (piece.name if spread else (serial, piece.name))
        for piece in pieces
        for serial in ([""] if spread else piece.evaluation.serials)
    )
    present: set[str] = set()
    ended: Counter[Any] = Counter()

    def end(serial: str, piece: Piece) -> None:
        ended[piece.name if spread else (serial, piece.name)] += 1

    def leave(serial: str) -> None:
        supply.leave(serial)
        present.discard(serial)

    for step, serial in steps:
        if serial not in supply.serials:
            continue
        if serial not in present:
            supply.join(serial)
            present.add(serial)
        before = len(supply.out(serial))
        match step:
            case "take":
                part = supply.take(serial)
                assert len(part) <= PART
                assert len(supply.out(serial)) == before + len(part) <= WINDOW
            case "done":
                for name in sorted(supply.out(serial))[:2]:
                    if piece := supply.done(serial, name):
                        end(serial, piece)
                    assert supply.done(serial, name) is None
            case "take_back":
                supply.take_back(serial)
            case "leave":
                leave(serial)
            case "hopeless":
                leave(serial)
                for piece in supply.hopeless(serial):
                    end(serial, piece)
            case _:
                pass
        assert len(supply) + ended.total() == wanted.total()
    for serial in sorted(supply.serials):
        supply.join(serial)
    while len(supply):
        for serial in sorted(supply.serials):
            supply.take(serial)
            for name in supply.out(serial):
                piece = supply.done(serial, name)
                assert piece
                end(serial, piece)
    assert ended == wanted


def test_towards_the_end_no_board_has_much_that_another_could_do() -> None:
    supply = Supply([Piece(f"{n}", Evaluation(BOARDS, "x.bin")) for n in range(20)], spread=True)
    for serial in BOARDS:
        supply.join(serial)
    taken = {serial: len(supply.take(serial)) for serial in BOARDS}
    assert taken == {"a": 4, "b": 4, "c": 3, "d": 3}


def test_what_is_known_is_skipped() -> None:
    pieces = [Piece(f"{n}", Evaluation(["a", "b"], "x.bin")) for n in range(3)]
    apart = Supply(pieces, spread=False)
    assert apart.skip([("a", "1"), ("c", "2"), ("a", "9")]) == [("a", pieces[1])]
    assert len(apart) == 5
    shared = Supply(pieces, spread=True)
    assert shared.skip([("c", "2"), ("a", "2")]) == [("c", pieces[2])], "whichever board did it"
    assert len(shared) == 2
