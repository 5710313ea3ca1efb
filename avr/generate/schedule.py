"""SHA-1's message schedule is linear over GF(2): W(x ^ y) = W(x) ^ W(y).

So nonces that differ in one decimal digit have schedules that differ by a constant, whatever the job is: '0' is 0x30,
and digit d is '0' ^ d. These constants go to flash; while it searches, the AVR never runs the schedule. As each step
only turns words by one bit, a digit reaches one to three bytes of a word, seldom all four, and a digit one byte
further reaches the bytes one further. Source: FIPS 180-4, 6.1.2.

Job text: 40 hex digits fill W0..W9, so the digits of a nonce of up to five lie in W10 and the first byte of W11.
"""

PREFIX_BYTES = 40
LAST_ROUND = 74  # what follows is undone from the target, see kernel.py
ROWS = [*range(16, LAST_ROUND + 1), 79]  # of the schedule, that are looked at
MASK = 0xFFFFFFFF


def rotate_left(word: int, bits: int) -> int:
    return (word << bits | word >> (32 - bits)) & MASK


def expand(block: list[int]) -> list[int]:
    """W0..W79 of the 16 words of a block."""
    words = list(block)
    for i in range(16, 80):
        words.append(rotate_left(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1))
    return words


def difference(position: int, digit: int) -> list[int]:
    """What a digit (0..15) at `position` (0 is the first of the nonce) changes in W0..W79 against '0' there."""
    byte = PREFIX_BYTES + position
    block = [0] * 16
    block[byte // 4] = digit << 8 * (3 - byte % 4)
    return expand(block)


def reached(position: int) -> dict[int, set[int]]:
    """Row -> its bytes (0 is the lowest) that some digit at `position` changes; rows left alone are absent."""
    bits = [difference(position, 1 << bit) for bit in range(4)]
    found = {row: {byte for byte in range(4) for words in bits if words[row] >> 8 * byte & 0xFF} for row in ROWS}
    return {row: changed for row, changed in found.items() if changed}
