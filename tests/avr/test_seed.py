"""The seed's own messages, and the serial door of the official miners."""

import pytest

from schema import i2c
from tests.avr.conftest import StartRig
from tests.avr.test_protocol import LAST
from tests.avr.virtual import VirtualRig, target


def text(rig: VirtualRig, letter: str, size: int) -> str:
    return rig.xfer(11, letter.encode(), size).rstrip(b"\xff").decode()


def test_a_job_in_the_seeds_letters(rig: VirtualRig) -> None:
    assert text(rig, "I", 32) == "I2C 11 AVR farmhand (DUCO-S1)"
    assert text(rig, "S", 2) == "II"
    wanted = target(LAST, 77).hex()
    rig.xfer(11, b"A")
    rig.xfer(11, b"D5")
    for letter, part in (("L", LAST[:20]), ("M", LAST[20:]), ("N", wanted[:20])):
        rig.xfer(11, (letter + part).encode())
        assert text(rig, "S", 2) == "I" + letter
    rig.xfer(11, b"O" + wanted[20:].encode())
    assert text(rig, "S", 2) == "BO"
    while text(rig, "S", 2) != "CO":
        rig.sleep(10_000)
    assert text(rig, "R", 8) == "77"
    assert 15 < int(text(rig, "E", 8)) < 60
    rig.xfer(11, b"A")
    assert text(rig, "S", 2) == "IA"


def test_h_starts_too(rig: VirtualRig) -> None:
    wanted = target(LAST, 5).hex()
    for message in ("D1", "L" + LAST[:20], "M" + LAST[20:], "N" + wanted[:20], "O" + wanted[20:]):
        rig.xfer(11, message.encode())
    rig.sleep(100_000)
    assert text(rig, "S", 1) == i2c.COMPLETE
    rig.xfer(11, b"A")
    rig.xfer(11, b"H")  # nothing to hash
    assert text(rig, "S", 2) == "EH"


def test_a_new_address_in_text(rig: VirtualRig) -> None:
    rig.xfer(11, b"V20")
    rig.sleep(200_000)
    assert rig.ask("scan")["addresses"] == [12, 13, 20]


def test_after_a_checked_message_the_seeds_are_refused(rig: VirtualRig) -> None:
    rig.status(11)
    assert i2c.parse(rig.xfer(11, b"I", 32))[0] == i2c.REFUSED
    rig.fault("reset", slave=0)
    rig.sleep(50_000)
    assert text(rig, "S", 2) == "I\0"


@pytest.mark.parametrize(("chosen", "mhz"), [("--uart", 16), ("--uart", 8), ("--strap", 16), ("--strap", 8)])
def test_the_serial_door(start_rig: StartRig, chosen: str, mhz: int) -> None:
    """Chosen by EEPROM, or by D2 tied to ground at the reset."""
    rig = start_rig(1, chosen, mhz=mhz)
    for nonce in (50, 0, 499, 500):
        before = rig.now_us()
        rig.ask("serial", slave=0, send=f"{LAST},{target(LAST, nonce).hex()},5\n")
        line = ""
        while not line.endswith("\n"):
            rig.sleep(5000)
            line += rig.ask("serial", slave=0)["received"]
        found, elapsed, chip = line.strip().split(",")
        assert int(found, 2) == nonce
        assert 0 < int(elapsed, 2) < rig.now_us() - before
        assert chip == "DUCOIDFA12000000000001"


def test_the_serial_door_answers_a_broken_line(start_rig: StartRig) -> None:
    rig = start_rig(1, "--uart")
    for line in ("nonsense\n", f"{LAST},{'g' * 40},5\n", f"{LAST},{'0' * 40},656\n", f"{LAST},{'0' * 40},0\n"):
        rig.ask("serial", slave=0, send=line)
        rig.sleep(50_000)
        assert rig.ask("serial", slave=0)["received"].startswith("0,")
    assert rig.ask("scan")["addresses"] == []
