"""What the virtual bootloader makes of any file."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from sentry.boards.virtual import firmware, uf2

contents = some.binary(min_size=1, max_size=3000)


@given(contents, some.sampled_from(sorted(uf2.RP2350)), some.integers(1, uf2.DATA_BYTES), some.randoms())
def test_blocks_in_any_order_give_the_image(content: bytes, family: int, size: int, chance) -> None:
    file = uf2.build(content, family, size)
    blocks = [file[start : start + uf2.BLOCK_BYTES] for start in range(0, len(file), uf2.BLOCK_BYTES)]
    chance.shuffle(blocks)
    image = uf2.parse(b"".join(blocks))
    assert image
    assert image.family == family
    assert image.content[: len(content)] == content
    assert not image.content[len(content) :].strip(b"\0")


@given(contents, some.data())
def test_a_file_on_its_way_is_waited_for(content: bytes, data: some.DataObject) -> None:
    file = uf2.build(content)
    assert uf2.parse(file[: data.draw(some.integers(0, len(file) - 1))]) is None


@given(some.binary(max_size=2000))
def test_other_files_are_ignored(file: bytes) -> None:
    """Random bytes hold no magic numbers; less than a block may be the beginning of one."""
    if len(file) < uf2.BLOCK_BYTES:
        assert uf2.parse(file) is None
    else:
        with pytest.raises(uf2.NotForUs, match="magic"):
            uf2.parse(file)


@given(contents, some.integers(0, 2**32 - 1).filter(lambda family: family not in uf2.RP2350))
def test_another_chips_file_is_none(content: bytes, family: int) -> None:
    own = uf2.build(content)
    assert uf2.parse(uf2.build(content, family)) is None
    both = uf2.parse(uf2.build(b"other", family) + own)
    assert both
    assert both.content.startswith(content)


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        (3, 0x2000_0000, "outside of the flash"),
        (3, uf2.FLASH.stop - 1, "outside of the flash"),
        (4, uf2.DATA_BYTES + 1, "outside of the flash"),
        (5, 1, "does not fit"),
        (6, 0, "does not fit"),
        (6, uf2.MOST_BLOCKS + 1, "does not fit"),
    ],
)
def test_impossible_blocks(place: int, value: int, says: str) -> None:
    block = bytearray(uf2.build(b"x"))
    struct.pack_into("<I", block, 4 * place, value)
    with pytest.raises(uf2.NotForUs, match=says):
        uf2.parse(bytes(block))


def test_two_images_in_one_file_are_none() -> None:
    with pytest.raises(uf2.NotForUs, match="does not fit"):
        uf2.parse(uf2.build(bytes(300)) + uf2.build(b"x"))


@pytest.mark.parametrize("kind", firmware.KINDS)
def test_our_images_are_known_again(kind: str, tmp_path: Path) -> None:
    firmware.write_all(tmp_path)
    image = uf2.parse((tmp_path / f"{kind}.uf2").read_bytes())
    assert image
    assert firmware.kind_of(image.content) == kind
    assert firmware.kind_of(image.content.replace(kind.encode(), b"foreign")) is None
