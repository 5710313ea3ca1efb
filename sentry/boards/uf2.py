"""UF2, the format of firmware that a bootloader's disk takes: blocks of 512 bytes, each with its place. Pure."""

import struct

from schema.message import Invalid

BLOCK = 512
BEGIN, SECOND, END = 0x0A324655, 0x9E5D5157, 0x0AB16F30


def check_uf2(content: bytes) -> int:
    """How many blocks there are; Invalid for anything that a bootloader would not take."""
    if not content or len(content) % BLOCK:
        raise Invalid("firmware", f"is no UF2 file: {len(content)} bytes, which is no multiple of {BLOCK}")
    count = len(content) // BLOCK
    for number in range(count):
        block = content[number * BLOCK : (number + 1) * BLOCK]
        first, second, _flags, _target, size = struct.unpack_from("<5I", block)
        (end,) = struct.unpack_from("<I", block, BLOCK - 4)
        if (first, second, end) != (BEGIN, SECOND, END) or size > 476:
            raise Invalid("firmware", f"is no UF2 file: block {number} is none")
    return count
