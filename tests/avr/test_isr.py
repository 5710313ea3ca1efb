"""How long the I2C interrupt takes, instruction by instruction, in the shipped ELF."""

import json
import subprocess
from pathlib import Path

import pytest

from schema import i2c
from tests.avr.virtual import SIMULATOR
from tests.conftest import ROOT, program

LONGEST_US = 10
ADDRESS_BYTE_US = 90  # at 100 kHz: the time between the end of a message and the first byte of its answer


def address_of(elf: Path, symbol: str) -> int:
    nm = program("avr-nm")
    assert nm
    listed = subprocess.run([nm, elf], capture_output=True, text=True, check=True).stdout.splitlines()
    return next(int(line.split()[0], 16) for line in listed if line.endswith(" " + symbol))


@pytest.mark.parametrize("mhz", [16, 8])
def test_a_byte_takes_less_than_10_us_and_a_message_less_than_an_address(built: Path, mhz: int) -> None:
    elf = built / f"slave-{mhz}.elf"
    part = i2c.pack_hash(1, bytes(range(20)))
    messages = [i2c.frame(letter, part) for letter in (i2c.LAST, i2c.LAST_HALF, i2c.NEW, i2c.NEW_HALF)]
    messages += [i2c.frame(i2c.HASH, i2c.pack_start(1, 655)), i2c.frame(i2c.PACE, i2c.pack_pace(1))]
    messages += [i2c.frame(i2c.DIFFICULTY, i2c.pack_difficulty(1)), i2c.frame(i2c.ADDRESS, b"\1")]
    messages += [i2c.frame(letter) for letter in (i2c.STATUS, i2c.RESULT, i2c.IDENTITY, i2c.MEASURES, i2c.ELAPSED)]
    messages += [i2c.frame(i2c.CLEAR), b"X" + bytes(31)]
    places = [str(address_of(elf, symbol)) for symbol in ("__vector_24", "__vector_message")]
    command = [SIMULATOR, ROOT / "avr" / "test" / "isr_length.py", elf, str(mhz), *places]
    ran = subprocess.run([*command, *(m.hex() for m in messages)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    longest: dict[str, list[int]] = json.loads(ran.stdout)
    assert len(longest) == len(messages)
    for letter, (interrupt, message) in longest.items():
        print(f"{mhz} MHz {letter}: {interrupt} cycles, {interrupt / mhz:.1f} us; message {message / mhz:.1f} us")
        assert 30 < interrupt < LONGEST_US * mhz
        assert message < ADDRESS_BYTE_US * mhz
