"""The rig's messages: both ways round, on both interpreters, and in C."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avr.generate import header
from schema import i2c
from schema.errors import Invalid
from tests.conftest import ROOT, program

letters = st.characters(min_codepoint=0x20, max_codepoint=0x7E)
payloads = st.binary(max_size=i2c.LONGEST_PAYLOAD)


@given(letters, payloads, st.binary(max_size=8))
def test_a_message_is_read_back_with_filler_behind_it(letter: str, payload: bytes, behind: bytes) -> None:
    raw = i2c.frame(letter, payload)
    assert len(raw) == len(payload) + 3 <= i2c.LONGEST
    assert i2c.parse(raw + behind) == (letter, payload)


@given(letters, payloads, st.data())
def test_no_message_with_a_flipped_bit_or_two_is_read(letter: str, payload: bytes, data: st.DataObject) -> None:
    """CRC-8 sees every single and double error this short. (A flipped length moves the CRC: seen by chance only.)"""
    raw = bytearray(i2c.frame(letter, payload))
    bits = st.integers(0, 8 * len(raw) - 1)
    flipped = data.draw(st.sets(bits.filter(lambda bit: bit // 8 != 1), min_size=1, max_size=2))
    for bit in flipped:
        raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Invalid, match="message"):
        i2c.parse(bytes(raw))


@given(letters, payloads)
def test_a_message_cut_short_is_refused(letter: str, payload: bytes) -> None:
    raw = i2c.frame(letter, payload)
    for size in range(len(raw)):
        with pytest.raises(Invalid, match="message"):
            i2c.parse(raw[:size])


def test_crc_of_the_application_note() -> None:
    assert i2c.crc8(bytes.fromhex("021cb801000000")) == 0xA2


@given(st.binary(max_size=40))
def test_the_c_header_has_the_same_crc(data: bytes) -> None:
    table = next(line for line in header.header().splitlines() if "I2C_CRC_TABLE" in line)
    entries = [int(entry) for entry in table.split(" ", 2)[2].split(",")]
    crc = 0
    for byte in data:
        crc = entries[crc ^ byte]
    assert crc == i2c.crc8(data)


def test_the_c_header_names_what_the_module_does() -> None:
    """Letters, errors and limits; a constant that is new in the module has to be decided on here."""
    text = header.header()
    told = {line.split()[1]: line.split()[2] for line in text.splitlines() if line.startswith("#define")}
    only_python = {"LONGEST_PAYLOAD", "FILLER", "FORMATS", "ERRORS", "POWER_ON", "EXTERNAL", "BROWN_OUT", "WATCHDOG"}
    constants = {name: value for name, value in vars(i2c).items() if name.isupper() and name not in only_python}
    for name, value in constants.items():
        assert told[f"I2C_{name}"] == (repr(value) if isinstance(value, str) else hex(value)), name
    assert [value for name, value in told.items() if name.startswith("I2C_ERROR_")] == [
        str(code) for code in i2c.ERRORS
    ]


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: i2c.frame("L", bytes(29)), "payload"),
        (lambda: i2c.pack_hash(1, bytes(19)), "hash"),
        (lambda: i2c.pack_hash(0, bytes(20)), "job"),
        (lambda: i2c.pack_job(256), "job"),
        (lambda: i2c.pack_start(1, 656), "difficulty"),
        (lambda: i2c.pack_difficulty(0), "difficulty"),
        (lambda: i2c.pack_pace(65_536), "pace"),
        (lambda: i2c.pack_address(7), "address"),
        (lambda: i2c.pack_address(120), "address"),
        (lambda: i2c.unpack_status(bytes(5)), "payload"),
    ],
)
def test_wrong_values_are_named(call, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        call()
    assert caught.value.field == field


@pytest.mark.micropython
def test_the_same_on_micropython(tmp_path: Path) -> None:
    cases = [(letter, bytes(range(size))) for letter in "ADEHILMNOPRSTV!" for size in range(0, 29, 4)]
    script = tmp_path / "main.py"
    script.write_text(
        "from schema import i2c\n"
        f"for letter, payload in {cases!r}:\n"
        "    raw = i2c.frame(letter, payload)\n"
        "    assert i2c.parse(raw + b'\\xff') == (letter, payload)\n"
        "    print(raw.hex())\n"
        "print(repr([i2c.unpack_status(b'BH\\1\\2\\3\\4'), i2c.unpack_measures(b'\\xff\\x7f\\0\\0'),\n"
        "    i2c.unpack_result(b'\\7\\1' + bytes(range(8))), i2c.unpack_identity(bytes(range(16)))]))\n"
    )
    interpreter = program("micropython")
    assert interpreter
    environment = {"MICROPYPATH": str(ROOT)}
    ran = subprocess.run([interpreter, script], env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    *frames, unpacked = ran.stdout.splitlines()
    assert frames == [i2c.frame(letter, payload).hex() for letter, payload in cases]
    ours = [
        i2c.unpack_status(b"BH\1\2\3\4"),
        i2c.unpack_measures(b"\xff\x7f\0\0"),
        i2c.unpack_result(b"\7\1" + bytes(range(8))),
        i2c.unpack_identity(bytes(range(16))),
    ]
    assert unpacked == repr(ours)
