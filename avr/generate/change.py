"""Changes the base for another digit in front of the last: exclusive-or of its differences, in place.

The base lies in planes, byte 0 of all rows first. A digit one place further to the left reaches the same rows one
byte higher, so one unrolled code serves the four places of W10: it only starts with another plane.
"""

from avr.generate.assembler import Assembler
from avr.generate.schedule import difference, reached

REACH = reached(3)
BASE_ROWS = sorted(REACH)
# A digit d becomes d + 1, or 9 becomes 0: these are all values of old ^ new.
CHANGES = (0 ^ 1, 1 ^ 2, 3 ^ 4, 7 ^ 8, 9 ^ 0)


def address_of_base(row: int, byte: int) -> str:
    return f"kernel_base+{byte * len(BASE_ROWS) + BASE_ROWS.index(row)}"


def planes() -> list[list[int]]:
    """For each byte of a word: rows where a digit at the last place of W10 reaches it."""
    return [[row for row in BASE_ROWS if byte in REACH[row]] for byte in range(4)]


def change(asm: Assembler) -> None:
    asm.raw("""
; void kernel_change(uint8_t place, uint8_t slot): place of the digit in W10, slot in CHANGES
.global kernel_change
kernel_change:
	push r28
	push r29""")
    size = sum(map(len, planes()))
    asm(f"ldi r25, {size}", "mul r22, r25", "movw r30, r0")
    asm("subi r30, lo8(-(kernel_changes))", "sbci r31, hi8(-(kernel_changes))")
    asm(f"ldi r22, {len(BASE_ROWS)}", "ldi r25, 3", "sub r25, r24")
    for rows in planes():
        asm("andi r25, 3", "mul r25, r22", "movw r28, r0", "inc r25")
        asm("subi r28, lo8(-(kernel_base))", "sbci r29, hi8(-(kernel_base))")
        for row in rows:
            at = f"Y+{BASE_ROWS.index(row)}"
            asm(f"ldd r0, {at}", "lpm r1, Z+", "eor r0, r1", f"std {at}, r0")
    asm("clr r1", "pop r29", "pop r28", "ret")


def changes(asm: Assembler) -> None:
    asm.label("kernel_changes")
    for value in CHANGES:
        words = difference(3, value)
        asm.bytes([words[row] >> 8 * byte & 0xFF for byte, rows in enumerate(planes()) for row in rows])
