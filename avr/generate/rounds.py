"""One round of SHA-1 on an eight-bit machine: a' = rotl5(a) + f(b, c, d) + e + K + W.

The 32 registers hold six words (the state's five, and b once more as the c that it will be), one word of scratch, r0
and r1, and Z, which walks through a table. No word moves between rounds: the names go round instead, which costs
nothing in unrolled code. rotl5 and rotl30 share their work: rotl30 is two steps right, rotl5 one more and a byte up.
"""

from typing import NamedTuple

from avr.generate.assembler import Assembler, Word

K = (0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6)
SCRATCH: Word = (26, 27, 28, 29)


class State(NamedTuple):
    """Where the words are. `a` and `b` are plain, the others rotated by 30; `next_c` is rotl30(b)."""

    a: Word
    b: Word
    next_c: Word
    c: Word
    d: Word
    e: Word

    def next(self) -> "State":
        """After a round: e holds the new a, and b's registers hold rotl30(a)."""
        return State(self.e, self.a, self.b, self.next_c, self.c, self.d)


def first_state() -> State:
    """Registers r2..r25."""
    groups: list[Word] = [(r, r + 1, r + 2, r + 3) for r in range(2, 26, 4)]
    return State(*groups)


def f(asm: Assembler, number: int, state: State) -> Word:
    """The round's function; where it lies. b is used up: its rotated copy lives on as c."""
    b, c, d = state.b, state.c, state.d
    if number < 20:  # choose
        asm.copy(SCRATCH, c)
        asm.bitwise("eor", SCRATCH, d)
        asm.bitwise("and", b, SCRATCH)
        asm.bitwise("eor", b, d)
    elif 40 <= number < 60:  # majority
        asm.copy(SCRATCH, b)
        asm.bitwise("or", SCRATCH, c)
        asm.bitwise("and", SCRATCH, d)
        asm.bitwise("and", b, c)
        asm.bitwise("or", b, SCRATCH)
    else:  # parity
        asm.bitwise("eor", b, c)
        asm.bitwise("eor", b, d)
    return b


def rotated(asm: Assembler, state: State) -> Word:
    """Puts rotl30(a) into b's registers; returns where rotl5(a) is."""
    asm.copy(state.b, state.a)
    asm(f"mov r0, r{state.a[0]}")
    asm.rotate_right(state.b, "r0")
    asm.rotate_right(state.b, "r0")
    asm.copy(SCRATCH, state.b)
    asm.rotate_right(SCRATCH, "r0")
    return one_byte_up(SCRATCH)


def rotl5(asm: Assembler, state: State) -> Word:
    """The same without rotl30(a), for the round after which nobody asks for it."""
    asm.copy(SCRATCH, state.a)
    asm(f"mov r0, r{state.a[0]}")
    for _ in range(3):
        asm.rotate_right(SCRATCH, "r0")
    return one_byte_up(SCRATCH)


def one_byte_up(word: Word) -> Word:
    """rotl8 by other names: rotl5 is three steps right and one byte up."""
    return word[3], word[0], word[1], word[2]
