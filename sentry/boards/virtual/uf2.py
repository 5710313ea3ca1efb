"""UF2, as the RP2350's bootloader reads it: 512-byte blocks, each with its place. Pure."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

BLOCK_BYTES, DATA_BYTES = 512, 476
FIRST_MAGIC, SECOND_MAGIC, LAST_MAGIC = 0x0A324655, 0x9E5D5157, 0x0AB16F30
NOT_FOR_FLASH, FAMILY_GIVEN = 0x0001, 0x2000
RP2350 = frozenset((0xE48BFF59, 0xE48BFF5A, 0xE48BFF5B))
"""Family ids: Arm secure, RISC-V, Arm non-secure."""
FLASH = range(0x1000_0000, 0x1040_0000)  # 4 MiB on a pico2-ice
MOST_BLOCKS = len(FLASH) // 256

_HEAD = struct.Struct("<8I")
_TAIL = struct.Struct("<I")


class NotForUs(Exception):
    """The bootloader would ignore this file; the text says why."""


@dataclass(frozen=True, slots=True)
class Image:
    family: int
    blocks: Mapping[int, bytes]
    """By address in flash."""

    @property
    def content(self) -> bytes:
        return b"".join(self.blocks[address] for address in sorted(self.blocks))


def parse(file: bytes) -> Image | None:
    """The image, or None while blocks are missing: the file may still be on its way. Raises NotForUs.

    Blocks of other families are skipped, so a file may serve several chips."""
    family = total = 0
    numbers: set[int] = set()
    blocks: dict[int, bytes] = {}
    for start in range(0, len(file) - BLOCK_BYTES + 1, BLOCK_BYTES):
        block = file[start : start + BLOCK_BYTES]
        first, second, flags, address, size, number, count, given = _HEAD.unpack_from(block)
        (last,) = _TAIL.unpack_from(block, BLOCK_BYTES - _TAIL.size)
        if (first, second, last) != (FIRST_MAGIC, SECOND_MAGIC, LAST_MAGIC):
            raise NotForUs(f"block {start // BLOCK_BYTES} has not the magic numbers of UF2")
        if flags & NOT_FOR_FLASH or not flags & FAMILY_GIVEN or given not in RP2350:
            continue
        if size > DATA_BYTES or address not in FLASH or address + size - 1 not in FLASH:
            raise NotForUs(f"block {number} is {size} bytes for {address:#x}, outside of the flash")
        if not number < count <= MOST_BLOCKS or (total and (count, given) != (total, family)):
            raise NotForUs(f"block {number} of {count} does not fit the others")
        family, total = given, count
        numbers.add(number)
        blocks[address] = block[_HEAD.size : _HEAD.size + size]
    return Image(family, blocks) if total and len(numbers) == total else None


def build(content: bytes, family: int = 0xE48BFF59, size: int = 256) -> bytes:
    """A file that puts the content at the start of the flash, in blocks of ``size`` bytes, the last one filled up."""
    pieces = [content[start : start + size].ljust(size, b"\0") for start in range(0, len(content), size)]
    return b"".join(
        _HEAD.pack(
            FIRST_MAGIC, SECOND_MAGIC, FAMILY_GIVEN, FLASH.start + number * size, size, number, len(pieces), family
        )
        + piece.ljust(DATA_BYTES, b"\0")
        + _TAIL.pack(LAST_MAGIC)
        for number, piece in enumerate(pieces)
    )  # fmt: skip
