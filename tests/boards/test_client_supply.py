"""Whatever boards do, no piece of a batch is lost, and none is done twice."""

from collections import Counter, defaultdict

from farmhand_client import Evaluation
from farmhand_client.supply import PART, TRIES, WINDOW, Piece, Supply
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

BOARDS = "abcd"
boards = st.sampled_from(BOARDS)


class Batch(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.present: set[str] = set()
        self.ended: Counter[tuple[str, str]] = Counter()
        self.failed: defaultdict[str, set[str]] = defaultdict(set)

    @initialize(spread=st.booleans(), given=st.lists(st.sets(boards, min_size=1), max_size=50))
    def begin(self, spread: bool, given: list[set[str]]) -> None:
        pieces = [Piece(f"{number}", Evaluation(serials, "x.bin")) for number, serials in enumerate(given)]
        self.supply = Supply(pieces, spread)
        self.wanted = Counter(self.key(serial, each) for each in pieces for serial in each.evaluation.serials)
        if spread:
            self.wanted = Counter(dict.fromkeys(self.wanted, 1))

    def key(self, serial: str, piece: Piece) -> tuple[str, str]:
        return ("" if self.supply.spread else serial, piece.name)

    @rule(serial=boards)
    def take(self, serial: str) -> None:
        if self.comes(serial):
            before = self.supply.out(serial)
            part = self.supply.take(serial)
            assert len(part) <= PART
            for piece in part if self.supply.spread else ():
                assert len(self.failed[piece.name]) < TRIES
                assert serial not in self.failed[piece.name] or self.present <= self.failed[piece.name]
            assert self.supply.out(serial) == before | {piece.name for piece in part}
            assert len(self.supply.out(serial)) == len(before) + len(part) <= WINDOW

    @rule(serial=boards, count=st.integers(1, 5))
    def done(self, serial: str, count: int) -> None:
        for name in sorted(self.supply.out(serial))[:count]:
            piece = self.supply.done(serial, name)
            assert piece
            self.ended[self.key(serial, piece)] += 1
            assert self.supply.done(serial, name) is None

    @rule(serial=boards, count=st.integers(1, 5))
    def fails(self, serial: str, count: int) -> None:
        for name in sorted(self.supply.out(serial))[:count]:
            piece = self.supply.done(serial, name)
            assert piece
            self.failed[name].add(serial)
            if not self.supply.again(serial, piece):
                self.ended[self.key(serial, piece)] += 1

    @rule(serial=boards)
    def began_anew(self, serial: str) -> None:
        if serial in self.present:
            self.supply.take_back(serial)

    @rule(serial=boards, comes_again=st.booleans())
    def leave(self, serial: str, comes_again: bool) -> None:
        if serial in self.present:
            self.present.discard(serial)
            self.supply.leave(serial)
            for piece in () if comes_again else self.supply.hopeless(serial):
                self.ended[self.key(serial, piece)] += 1

    def comes(self, serial: str) -> bool:
        if serial in self.supply.serials:
            self.supply.join(serial)
            self.present.add(serial)
        return serial in self.present

    @invariant()
    def nothing_is_lost_or_done_twice(self) -> None:
        if hasattr(self, "supply"):
            assert len(self.supply) + self.ended.total() == self.wanted.total()

    def teardown(self) -> None:
        if not hasattr(self, "supply"):
            return
        while len(self.supply):
            for serial in filter(self.comes, BOARDS):
                self.supply.take(serial)
                self.done(serial, WINDOW)
        assert self.ended == self.wanted


Batch.TestCase.settings = settings(max_examples=100, deadline=None)
TestBatch = Batch.TestCase


def test_towards_the_end_no_board_has_much_that_another_could_do() -> None:
    supply = Supply([Piece(f"{n}", Evaluation(BOARDS, "x.bin")) for n in range(20)], spread=True)
    for serial in BOARDS:
        supply.join(serial)
    assert [len(supply.take(serial)) for serial in BOARDS] == [1] * len(BOARDS), "each begins at once"
    taken = {serial: len(supply.take(serial)) for serial in BOARDS}
    assert taken == {"a": 3, "b": 3, "c": 2, "d": 1}


def test_a_piece_under_which_boards_fail_is_tried_by_three_and_the_others_first() -> None:
    deadly, other = (Piece(name, Evaluation(BOARDS, "x.bin")) for name in ("deadly", "other"))
    supply = Supply([deadly, other], spread=True)
    for serial in BOARDS:
        supply.join(serial)
    assert [*supply.take("a"), *supply.take("a")] == [deadly, other]
    for serial, following in ("ab", "bc"):
        assert supply.done(serial, "deadly") == deadly
        assert supply.again(serial, deadly)
        assert supply.take(serial) == []
        assert supply.take(following) == [deadly]
    assert supply.done("c", "deadly") == deadly
    assert not supply.again("c", deadly)
    alone = Supply([deadly], spread=True)
    alone.join("a")
    alone.take("a")
    assert not alone.again("a", deadly), "there is no other"


def test_what_is_known_is_skipped() -> None:
    pieces = [Piece(f"{n}", Evaluation(["a", "b"], "x.bin")) for n in range(3)]
    apart = Supply(pieces, spread=False)
    assert apart.skip([("a", "1"), ("c", "2"), ("a", "9")]) == [("a", pieces[1])]
    assert len(apart) == 5
    shared = Supply(pieces, spread=True)
    assert shared.skip([("c", "2"), ("a", "2")]) == [("c", pieces[2])], "whichever board did it"
    assert len(shared) == 2
