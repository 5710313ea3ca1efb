"""The search over the last decimal digit of the nonce, unrolled: kernel.S and kernel.h.

What makes it fast, in order of value:
- Rounds 0..9 see only the job: their state is computed once per job (midstate).
- The schedule is never run: each word is a base in RAM, exclusive-or a difference in flash (schedule.py).
- The target's last five rounds are undone: the digest gives a75..a79 and so what rotl30(a74) has to be. Nothing after
  round 74 is computed, of round 74 only six bits, and the rest for one nonce in 64.
- Nonces of four and of five digits have each code of their own (`four`, `five`), which fetches only the bytes that the
  last digit reaches. Shorter ones use `four` with '0' for a digit that they have not: 1,000 of 65,501.
- Rows that no digit reaches wait with K added.

Usage: python3 -m avr.generate.kernel FOLDER
"""

import sys
from pathlib import Path
from typing import NamedTuple

from avr.generate.assembler import Assembler, carry
from avr.generate.change import BASE_ROWS, address_of_base, change, changes
from avr.generate.rounds import SCRATCH, K, State, f, first_state, rotated, rotl5
from avr.generate.schedule import LAST_ROUND, difference, reached

FOUR, FIVE = reached(3), reached(4)
# Rows that no digit in W10 reaches wait apart; those that one in W11 does come last.
FIVE_ONLY = [row for row in FIVE if row not in BASE_ROWS]
STEADY = [row for row in range(15, LAST_ROUND) if row not in BASE_ROWS and row not in FIVE_ONLY]
# The check reads one byte of W79 and of W74 first, then, for one nonce in 64, the others.
CHECK_ORDER = [(79, 0), *((74, byte) for byte in range(4)), (79, 1), (79, 2), (79, 3)]
CHECKED_FIRST = [(79, 0), (74, 0)]
SAVED = (*range(2, 18), 28, 29)


class Variant(NamedTuple):
    """Code for one place of the last digit."""

    name: str
    position: int
    reach: dict[int, set[int]]
    steady: list[int]

    def reaches(self, row: int, byte: int) -> bool:
        return byte in self.reach.get(row, ())

    def stream(self) -> list[tuple[int, int]]:
        """(row, byte) of the differences in the order in which they are fetched, behind the digit itself."""
        rounds = [(row, byte) for row in sorted(self.reach) if row < LAST_ROUND for byte in range(4)]
        return [each for each in rounds + CHECK_ORDER if self.reaches(*each)]


VARIANTS = (Variant("four", 3, FOUR, STEADY + FIVE_ONLY), Variant("five", 4, FIVE, STEADY))


def fetch(asm: Assembler, variant: Variant, row: int, byte: int) -> None:
    """W[row], one byte, into r0; leaves the carry alone."""
    if row in BASE_ROWS:
        asm(f"lds r0, {address_of_base(row, byte)}")
    else:
        asm(f"lds r0, kernel_steady+{4 * (STEADY + FIVE_ONLY).index(row) + byte}")
    if variant.reaches(row, byte):
        asm("lpm r1, Z+", "eor r0, r1")


def add_word(asm: Assembler, variant: Variant, row: int, state: State) -> None:
    for byte in range(4):
        fetch(asm, variant, row, byte)
        asm(f"{carry('add', byte)} r{state.e[byte]}, r0")


def rounds_10_and_11(asm: Assembler, variant: Variant) -> State:
    """All of their inputs but the digit are known and wait added up."""
    state = first_state()
    asm.load(state.a, "kernel_a10")
    asm.load(state.e, "kernel_a11")
    asm("lpm r0, Z+")
    if variant.name == "four":
        asm("clr r1", f"add r{state.a[0]}, r0")
        asm(*(f"adc r{state.a[byte]}, r1" for byte in (1, 2, 3)))
        asm.add(state.e, rotated(asm, state))
    else:  # a10 is the same for all ten
        asm(f"add r{state.e[3]}, r0")
        asm.load(state.b, "kernel_a10_rotated")
    state = state.next()
    asm.load(state.c, "kernel_c12")
    asm.load(state.d, "kernel_d12")
    asm.load(state.e, "kernel_e12")
    return state


def one_round(asm: Assembler, variant: Variant, number: int, state: State) -> State:
    asm.note(f"round {number}")
    asm.add(state.e, f(asm, number, state))
    if number in (12, 13):  # the e of the next round is known, and waits with K and W added
        asm.load(state.d, f"kernel_e{number + 1}")
    if number > 14:
        add_word(asm, variant, number, state)
    turned = rotl5(asm, state) if number == LAST_ROUND - 1 else rotated(asm, state)
    if number > 14 and number not in variant.steady:
        asm.add_constant(turned, K[number // 20])
    asm.add(state.e, turned)
    return state.next()


def check(asm: Assembler, variant: Variant, state: State) -> None:
    """Six bits of what a74 has to be: rotl30 moves bits 2..7 to the lowest, where no carry comes in."""
    target, a74, factor = SCRATCH[:3]
    fetch(asm, variant, 79, 0)
    asm(f"lds r{target}, kernel_target", f"sub r{target}, r0", f"lsl r{target}", f"lsl r{target}")
    fetch(asm, variant, 74, 0)
    asm(f"mov r{a74}, r{state.b[0]}", f"eor r{a74}, r{state.c[0]}", f"eor r{a74}, r{state.d[0]}")
    asm(f"add r{a74}, r{state.e[0]}", f"add r{a74}, r0", f"subi r{a74}, {-K[3] & 0xFF:#04x}")
    # The lowest byte of rotl5(a): five bits of its own lowest, three of its highest.
    asm(f"ldi r{factor}, 32", f"mul r{state.a[0]}, r{factor}", f"add r{a74}, r0")
    asm(f"mul r{state.a[3]}, r{factor}", f"add r{a74}, r1")
    asm(f"eor r{a74}, r{target}", f"andi r{a74}, 0xfc", "brne 1f", f"rjmp {variant.name}_candidate")
    rest = sum(variant.reaches(*each) for each in CHECK_ORDER if each not in CHECKED_FIRST)
    asm.label("1")
    asm(f"adiw r30, {rest}")
    asm.label(f"{variant.name}_next")
    asm("lds r26, kernel_left", "dec r26", "sts kernel_left, r26", "breq 2f", f"jmp kernel_{variant.name}")
    asm.label("2")
    asm("ldi r24, 0", "jmp kernel_return")


def candidate(asm: Assembler, variant: Variant, state: State) -> None:
    """Round 74 and the comparison in full; a73 and a74 stay in kernel_hit for the driver to look at."""
    asm.label(f"{variant.name}_candidate")
    if again := sum(variant.reaches(*each) for each in CHECKED_FIRST):
        asm(f"sbiw r30, {again}")
    asm(*(f"sts kernel_hit+{byte}, r{state.a[byte]}" for byte in range(4)))
    asm.add(state.e, f(asm, LAST_ROUND, state))
    w79 = state.c
    fetch(asm, variant, 79, 0)
    asm(f"mov r{w79[0]}, r0")
    add_word(asm, variant, LAST_ROUND, state)
    turned = rotl5(asm, state)
    asm.add_constant(turned, K[3])
    asm.add(state.e, turned)
    asm(*(f"sts kernel_hit+{4 + byte}, r{state.e[byte]}" for byte in range(4)))
    for byte in (1, 2, 3):
        fetch(asm, variant, 79, byte)
        asm(f"mov r{w79[byte]}, r0")
    asm.load(SCRATCH, "kernel_target")
    asm(*(f"{carry('sub', byte)} r{SCRATCH[byte]}, r{w79[byte]}" for byte in range(4)))
    asm(f"mov r0, r{state.e[0]}")
    asm.rotate_right(state.e, "r0")
    asm.rotate_right(state.e, "r0")
    asm(*(f"{carry('cp', byte)} r{SCRATCH[byte]}, r{state.e[byte]}" for byte in range(4)))
    asm("breq 1f", f"rjmp {variant.name}_next")
    asm.label("1")
    asm("lds r24, kernel_left", "jmp kernel_return")


def kernel() -> str:
    """kernel.S: kernel_four and kernel_five, kernel_change, their tables."""
    asm = Assembler()
    asm.raw("""
; uint8_t kernel_search_four(uint8_t digits), kernel_search_five: try that many last digits, from 0 on.
; Return how many were left at the hit, itself included; 0: none. Interrupts may come at any moment.
.text""")
    for variant in VARIANTS:
        asm(f".global kernel_search_{variant.name}")
        asm.label(f"kernel_search_{variant.name}")
        asm(*(f"push r{r}" for r in SAVED), "sts kernel_left, r24")
        asm(f"ldi r30, lo8({variant.name}_differences)", f"ldi r31, hi8({variant.name}_differences)")
        asm.label(f"kernel_{variant.name}")
        state = rounds_10_and_11(asm, variant)
        for number in range(12, LAST_ROUND):
            state = one_round(asm, variant, number, state)
        check(asm, variant, state)
        candidate(asm, variant, state)
    asm.label("kernel_return")
    asm("clr r1", *(f"pop r{r}" for r in reversed(SAVED)), "ret")
    change(asm)
    asm.raw('.section .progmem.data, "a", @progbits')
    for variant in VARIANTS:
        asm.label(f"{variant.name}_differences")
        for digit in range(10):
            words = difference(variant.position, digit)
            asm.bytes([digit, *(words[row] >> 8 * byte & 0xFF for row, byte in variant.stream())])
    changes(asm)
    return str(asm)


def header() -> str:
    """kernel.h: sizes and rows that the driver of the kernel has to know."""
    rows = STEADY + FIVE_ONLY
    return f"""// Generated by avr/generate/kernel.py.
#pragma once
#define KERNEL_BASE_ROWS {{{", ".join(map(str, BASE_ROWS))}}}
#define KERNEL_BASE_COUNT {len(BASE_ROWS)}
#define KERNEL_STEADY_ROWS {{{", ".join(map(str, rows))}}}
#define KERNEL_STEADY_COUNT {len(rows)}
#define KERNEL_STEADY_COUNT_FIVE {len(STEADY)} // only these wait with K added where a nonce has five digits
"""


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kernel.S").write_text(kernel())
    (folder / "kernel.h").write_text(header())
