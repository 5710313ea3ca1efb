"""What a board may be given as a bitstream. Pure."""

from schema.boards import BITSTREAM_BYTES
from schema.message import Invalid

PREAMBLE = bytes((0x7E, 0xAA, 0x99, 0x7E))
BEFORE_PREAMBLE = 4096  # a comment may come first
CTRL_C = 0x03  # alone, it ends a program on a board with MicroPython


def check_bitstream(content: bytes) -> None:
    """Invalid says what is wrong: a board would wait for the missing rest, or configure nothing."""
    if len(content) != BITSTREAM_BYTES:
        raise Invalid("bitstream", f"has {len(content)} bytes; it must be a .bin for iCE40UP5K of {BITSTREAM_BYTES}")
    if PREAMBLE not in content[:BEFORE_PREAMBLE]:
        raise Invalid("bitstream", "is none for an iCE40: the preamble 7E AA 99 7E is missing")
    if content[0] == CTRL_C:
        raise Invalid("bitstream", "must not begin with the byte 03")
