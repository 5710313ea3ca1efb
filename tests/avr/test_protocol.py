"""Messages of schema/i2c.py to the real firmware, over a simulated bus."""

import pytest

from schema import i2c
from schema.errors import Invalid
from tests.avr.conftest import StartRig
from tests.avr.virtual import BusError, Refused, VirtualRig, target

LAST = "ba29a15896fd2d792d5c4b60668bf2b9feebc51d"
ADDRESSES = (11, 12, 13)
CRC_WRONG, UNKNOWN, NOT_ALLOWED, NOT_FOUND, NO_DATA, BUSY = i2c.ERRORS


def test_three_slaves_are_found_and_tell_who_they_are(rig: VirtualRig) -> None:
    assert rig.ask("scan")["addresses"] == list(ADDRESSES)
    chips: set[bytes] = set()
    for address in ADDRESSES:
        identity = i2c.unpack_identity(rig.command(address, i2c.IDENTITY))
        version, capabilities, mhz, firmware, chip, cause, largest, own = identity
        assert (version, mhz, firmware, largest, own) == (i2c.VERSION, 16, 1, i2c.LARGEST_DIFFICULTY, address)
        assert capabilities == i2c.RAW | i2c.STAGING | i2c.PACING | i2c.TEMPERATURE | i2c.VOLTAGE | i2c.RESCUE
        assert cause & i2c.POWER_ON
        chips.add(chip)
    assert len(chips) == 3


def test_three_slaves_hash_at_once(rig: VirtualRig) -> None:
    nonces = {11: 0, 12: 1000, 13: 733}
    for address, nonce in nonces.items():
        rig.send_job(address, address, LAST, target(LAST, nonce), 10)
    begin = rig.now_us()
    for address, nonce in nonces.items():
        job, found, got, elapsed, hashes = rig.wait_result(address, 10_000)
        assert (job, found, got, hashes) == (address, True, nonce, nonce + 1)
        assert 0 < elapsed < 350_000
    assert rig.now_us() - begin < 400_000


def test_one_byte_of_the_status_tells_of_a_result(rig: VirtualRig) -> None:
    rig.send_job(11, 1, LAST, target(LAST, 900), 10)
    rig.status(11)
    assert rig.xfer(11, read=1) == i2c.STATUS.encode()
    rig.sleep(400_000)
    assert rig.xfer(11, read=1) == i2c.NEWS.encode()
    assert rig.status(11)[4] == 1
    rig.command(11, i2c.CLEAR, i2c.pack_job(1))
    rig.status(11)
    assert rig.xfer(11, read=1) == i2c.STATUS.encode()


@pytest.mark.parametrize("difficulty", [1, 10, 655])
def test_not_found_is_an_error_with_a_result(start_rig: StartRig, difficulty: int) -> None:
    rig = start_rig(1)
    rig.send_job(11, 7, LAST, bytes(20), difficulty)
    job, found, nonce, _, hashes = rig.wait_result(11)
    assert (job, found, nonce, hashes) == (7, False, 0, 100 * difficulty + 1)
    assert rig.status(11) == (i2c.ERROR, i2c.RESULT, 0, 0, 7, NOT_FOUND)
    rig.command(11, i2c.CLEAR, i2c.pack_job(7))
    assert rig.status(11) == (i2c.IDLE, i2c.CLEAR, 0, 0, 0, 0)


def test_the_last_nonce_of_a_difficulty_counts(rig: VirtualRig) -> None:
    for address, (nonce, difficulty) in zip(ADDRESSES, ((100, 1), (101, 1), (65_500, 655)), strict=True):
        rig.send_job(address, 1, LAST, target(LAST, nonce), difficulty)
    assert rig.wait_result(11)[1:3] == (True, 100)
    assert rig.wait_result(12)[1:3] == (False, 0)
    assert rig.wait_result(13, 1_000_000)[1:3] == (True, 65_500)


def test_next_job_is_staged_and_starts_when_the_first_ends(rig: VirtualRig) -> None:
    rig.send_job(11, 1, LAST, target(LAST, 900), 10)
    rig.send_job(11, 2, LAST, target(LAST, 990), 10)
    assert rig.status(11)[2:5] == (1, 2, 0)
    for letter, payload in ((i2c.LAST, bytes(20)), (i2c.NEW, bytes(20))):
        with pytest.raises(Refused) as refused:
            rig.command(11, letter, i2c.pack_hash(3, payload))
        assert refused.value.args == (letter, BUSY)
    assert rig.wait_result(11, 5000)[0] == 1
    assert rig.status(11)[2:5] == (2, 0, 1)
    # The second ends before the first is cleared, and waits; no time of it is counted while it does.
    rig.sleep(2_000_000)
    assert rig.result(11)[0] == 1
    rig.command(11, i2c.CLEAR, i2c.pack_job(1))
    rig.sleep(5000)
    job, found, nonce, elapsed, _ = rig.result(11)
    assert (job, found, nonce) == (2, True, 990)
    assert elapsed < 400_000
    assert i2c.unpack_elapsed(rig.command(11, i2c.ELAPSED)) == (2, elapsed)


def test_a_stale_result_is_never_taken_for_another(rig: VirtualRig) -> None:
    rig.send_job(11, 1, LAST, target(LAST, 5), 1)
    rig.wait_result(11)
    rig.command(11, i2c.CLEAR, i2c.pack_job(9))  # not this one
    assert rig.result(11)[0] == 1
    rig.command(11, i2c.CLEAR, i2c.pack_job(1))
    assert rig.result(11)[0] == 0
    rig.send_job(11, 2, LAST, target(LAST, 60_000), 655)
    assert rig.result(11)[0] == 0
    rig.command(11, i2c.CLEAR)
    rig.sleep(20_000)
    assert rig.status(11)[2:5] == (0, 0, 0)
    rig.sleep(20_000_000)
    assert rig.result(11)[0] == 0


def test_parts_of_different_jobs_never_mix(rig: VirtualRig) -> None:
    rig.command(11, i2c.LAST, i2c.pack_hash(1, bytes(20)))
    rig.command(11, i2c.NEW, i2c.pack_hash(2, bytes(20)))
    for job in (1, 2, 3):
        with pytest.raises(Refused) as refused:
            rig.command(11, i2c.HASH, i2c.pack_start(job, 1))
        assert refused.value.args == (i2c.HASH, NO_DATA)
    assert rig.status(11)[0] == i2c.ERROR


def test_hashes_in_halves_of_hex_digits(rig: VirtualRig) -> None:
    wanted = target(LAST, 321).hex()
    rig.command(11, i2c.DIFFICULTY, i2c.pack_difficulty(10))
    for letter, part in ((i2c.LAST, LAST[:20]), (i2c.LAST_HALF, LAST[20:]), (i2c.NEW, wanted[:20])):
        rig.command(11, letter, i2c.pack_hash(4, part.encode()))
    rig.command(11, i2c.NEW_HALF, i2c.pack_hash(4, wanted[20:].encode()))
    assert rig.wait_result(11)[:3] == (4, True, 321)


def test_halves_that_are_no_hex_digits_end_their_job(rig: VirtualRig) -> None:
    rig.command(11, i2c.DIFFICULTY, i2c.pack_difficulty(10))
    for letter in (i2c.LAST, i2c.LAST_HALF, i2c.NEW, i2c.NEW_HALF):
        rig.command(11, letter, i2c.pack_hash(4, b"0123456789ABCDEF0123"))
    job, found, _, _, hashes = rig.wait_result(11)
    assert (job, found, hashes) == (4, False, 0)
    assert rig.status(11)[5] == NOT_ALLOWED


@pytest.mark.parametrize(
    ("letter", "payload", "error"),
    [
        ("X", b"", UNKNOWN),
        (i2c.HASH, b"\1\0\0", NOT_ALLOWED),
        (i2c.HASH, b"\1\x90\2", NOT_ALLOWED),  # 656
        (i2c.HASH, b"\0\1\0", NOT_ALLOWED),
        (i2c.DIFFICULTY, b"\0\0", NOT_ALLOWED),
        (i2c.LAST, bytes(21), NOT_ALLOWED),
        (i2c.LAST, b"\1" + bytes(19), CRC_WRONG),
        (i2c.NEW_HALF, b"\0" + b"0" * 20, NOT_ALLOWED),
        (i2c.ADDRESS, b"\7", NOT_ALLOWED),
        (i2c.ADDRESS, b"\x78", NOT_ALLOWED),
        (i2c.STATUS, b"\1", CRC_WRONG),
    ],
)
def test_refusals(rig: VirtualRig, letter: str, payload: bytes, error: int) -> None:
    with pytest.raises(Refused) as refused:
        rig.command(11, letter, payload)
    assert refused.value.args == (letter, error)
    assert rig.status(11)[5] == error


def test_no_flipped_bit_passes(rig: VirtualRig) -> None:
    """Each bit of a start message in turn: it is refused, and nothing starts."""
    rig.command(11, i2c.LAST, i2c.pack_hash(1, bytes(20)))
    rig.command(11, i2c.NEW, i2c.pack_hash(1, bytes(20)))
    message = i2c.frame(i2c.HASH, i2c.pack_start(1, 655))
    for byte in range(len(message)):
        for bit in range(8):
            rig.fault("flip_write", byte=byte, bit=bit)
            assert i2c.parse(rig.xfer(11, message, 5)) == (i2c.REFUSED, bytes([0, CRC_WRONG]))
    assert rig.status(11)[2:4] == (0, 0)


def test_a_flipped_bit_of_an_answer_is_seen_and_read_again(rig: VirtualRig) -> None:
    rig.fault("flip_read", byte=4, bit=3)
    with pytest.raises(Invalid):
        rig.command(11, i2c.STATUS)
    again = i2c.parse(rig.xfer(11, read=9))
    assert again == i2c.parse(rig.xfer(11, read=9))
    assert i2c.unpack_status(again[1])[0] == i2c.IDLE
    assert rig.xfer(11, read=12)[9:] == b"\xff\xff\xff"


@pytest.mark.parametrize("size", [33, 40])
def test_too_long_a_message_is_refused(rig: VirtualRig, size: int) -> None:
    assert i2c.parse(rig.xfer(11, b"S" + bytes(size - 1), 5))[0] == i2c.REFUSED
    assert rig.status(11)[0] == i2c.ERROR


def test_pace_limits_the_hash_rate(rig: VirtualRig) -> None:
    """Also for a nonce that comes at once: a pool divides it by the time."""
    assert rig.command(11, i2c.PACE, i2c.pack_pace(194)) == i2c.pack_pace(194)
    for job, nonce in enumerate((0, 13, 400), 1):
        rig.send_job(11, job, LAST, target(LAST, nonce), 10)
        _, _, _, elapsed, hashes = rig.wait_result(11)
        assert hashes == nonce + 1
        assert 0.99 * 194 - 1 < hashes * 1e6 / elapsed <= 194
        rig.command(11, i2c.CLEAR, i2c.pack_job(job))


def test_temperature_and_supply(rig: VirtualRig) -> None:
    assert i2c.unpack_measures(rig.command(11, i2c.MEASURES)) == (None, None)
    rig.sleep(1_000_000)
    temperature, supply = i2c.unpack_measures(rig.command(11, i2c.MEASURES))
    assert temperature is not None
    assert abs(temperature - 250) <= 10
    assert supply is not None
    assert abs(supply - 5000) <= 20


def test_a_new_address_outlives_the_reset(rig: VirtualRig) -> None:
    rig.command(12, i2c.ADDRESS, i2c.pack_address(42))
    rig.sleep(200_000)
    assert rig.ask("scan")["addresses"] == [11, 13, 42]
    assert i2c.unpack_identity(rig.command(42, i2c.IDENTITY))[5] == i2c.ORDERED
    rig.fault("reset", slave=1)
    rig.sleep(100_000)
    assert i2c.unpack_identity(rig.command(42, i2c.IDENTITY))[7] == 42


def test_as_delivered_it_is_at_the_default_address(start_rig: StartRig) -> None:
    assert start_rig(1, "--first-address=0").ask("scan")["addresses"] == [i2c.DEFAULT_ADDRESS]


def test_three_at_8_mhz(start_rig: StartRig) -> None:
    rig = start_rig(3, mhz=8)
    assert rig.ask("scan")["addresses"] == list(ADDRESSES)
    for address, nonce in zip(ADDRESSES, (999, 0, 1000), strict=True):
        assert i2c.unpack_identity(rig.command(address, i2c.IDENTITY))[2] == 8
        rig.send_job(address, address, LAST, target(LAST, nonce), 10)
    job, found, nonce, elapsed, _ = rig.wait_result(11)
    assert (job, found, nonce) == (11, True, 999)
    assert 0.5e6 < elapsed < 0.75e6
    assert rig.wait_result(12)[:3] == (12, True, 0)
    assert rig.wait_result(13)[:3] == (13, True, 1000)


def test_nobody_there_is_a_nack(rig: VirtualRig) -> None:
    with pytest.raises(BusError, match="nack"):
        rig.command(14, i2c.STATUS)
