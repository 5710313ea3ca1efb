"""The I2C protocol of the rig: one master, slaves that hash. Whole numbers are little-endian.

A *checked message*, both ways: letter, length of the payload (0..28), payload, CRC-8 over all before it. A length is
below 32 and text is not, so a slave tells it from a *seed's message* (a letter alone, or with text), which it
understands until its first checked message after a reset, and no longer.

Every command has its answer ready when the write ends. It can be read again and again, from its first byte, until the
next command; the status, alone, follows what happens meanwhile. What is read beyond an answer's end is 0xFF. While an
answer is made (well below the time of an address byte) a read gives 0xFF alone, and a write is not acknowledged. An
answer has the letter of its command, or is a refusal, `!`: the letter refused (0 where it could not be read) and the
error. Of the status the letter is `s` while a result waits: one byte of it tells a master what to do.

  letter  command                            answer
  A       none: forget all; job: its result  the same
  D       difficulty u16, for O              the same
  E       -                                  job, elapsed us u32, of the waiting result
  H       job, difficulty u16: start         job
  I       -                                  identity, see unpack_identity
  L       job, last hash: 20 raw bytes, or the first 20 of its 40 hex digits when M follows         job
  M       job, the other 20 digits           job
  N       job, new hash, like L with O       job
  O       job, 20 digits: starts as H does, with D's difficulty      job
  P       limit in H/s u16, 0: none          the same
  R       -                                  result, see unpack_result; job 0 while there is none
  S       -                                  status, see unpack_status
  T       -                                  temperature and supply, see unpack_measures
  V       address 8..119: kept, then reset   the same, before the reset

A job has a number, 1..255. While one is hashed, the next can be sent: it is staged, and starts the moment the other
ends. A result waits until `A` with its job clears it; another job that ends before that waits, too, and is not
answered before. Raw hashes want the capability RAW; L and M (N and O) want the same job. Halves that are no hex digits
(lower case) end their job as not found, with no hash tried and error 3.

As seed's messages: A D E H I L M N O R S V, numbers in decimal text. `I` answers the name, `S` run state and last
letter, `R` the nonce, `E` milliseconds, the others nothing; the job's number is 1.
"""

import struct

from schema.errors import Invalid

VERSION = 1
LONGEST = 32
LONGEST_PAYLOAD = 28
FILLER = 0xFF

CLEAR, DIFFICULTY, ELAPSED, HASH, IDENTITY, LAST, LAST_HALF = "A", "D", "E", "H", "I", "L", "M"
NEW, NEW_HALF, PACE, RESULT, STATUS, MEASURES, ADDRESS = "N", "O", "P", "R", "S", "T", "V"
REFUSED = "!"
NEWS = "s"  # the status, while a result waits

# Run states, the most important that holds: a found result waits, one without a nonce waits, a job is hashed, an
# error stands (until A or the next start), nothing to do.
IDLE, BUSY, COMPLETE, ERROR = "I", "B", "C", "E"

ERRORS = {
    1: "CRC or length wrong",
    2: "unknown letter",
    3: "value not allowed",
    4: "no nonce gives the hash",
    5: "no data: a start without both hashes of that job",
    6: "busy: a job is staged already",
}

# What a slave can do, bits of the identity's capabilities.
RAW, STAGING, PACING, TEMPERATURE, VOLTAGE, RESCUE = 1, 2, 4, 8, 16, 32
# Causes of the last reset, bits as in the AVR's MCUSR; ORDERED is a new address.
POWER_ON, EXTERNAL, BROWN_OUT, WATCHDOG, ORDERED = 1, 2, 4, 8, 16

LARGEST_DIFFICULTY = 655
FIRST_ADDRESS, LAST_ADDRESS, DEFAULT_ADDRESS = 8, 119, 8
UNKNOWN_TEMPERATURE = 0x7FFF

# Payloads of answers; a letter that is not here answers what fits into a refusal.
FORMATS = {"E": "<BI", "I": "<BBBB8sBHB", "R": "<BBHIH", "S": "<6B", "T": "<hH", "!": "<BB"}


def crc8(data):
    """CRC-8 of Dallas/Maxim (bytes -> 0..255): polynomial 0x8C reflected, from 0. Source: Maxim application note 27."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8C if crc & 1 else 0)
    return crc


def frame(letter, payload=b""):
    """A checked message (bytes)."""
    if len(payload) > LONGEST_PAYLOAD:
        raise Invalid("payload", "has %d bytes, at most %d fit" % (len(payload), LONGEST_PAYLOAD))
    head = bytes([ord(letter), len(payload)]) + bytes(payload)
    return head + bytes([crc8(head)])


def parse(raw):
    """(letter, payload) of a checked message, with what was read beyond its end; Invalid when it is none."""
    if len(raw) < 3 or raw[1] > LONGEST_PAYLOAD or len(raw) < raw[1] + 3:
        raise Invalid("message", "is too short, or its length is wrong")
    end = raw[1] + 2
    if crc8(raw[:end]) != raw[end]:
        raise Invalid("message", "has a wrong CRC")
    return chr(raw[0]), bytes(raw[2:end])


def answer_size(letter):
    """How many bytes to read for the answer to a command, or its refusal."""
    return 3 + max(struct.calcsize(FORMATS.get(letter, "<BB")), 2)


def pack_hash(job, part):
    """Payload of L, M, N, O: `part` is 20 raw bytes, or 20 hex digits as bytes."""
    if len(part) != 20:
        raise Invalid("hash", "has %d bytes, not 20" % len(part))
    return bytes([_job(job)]) + bytes(part)


def pack_start(job, difficulty):
    """Payload of H."""
    return bytes([_job(job)]) + pack_difficulty(difficulty)


def pack_difficulty(difficulty):
    """Payload of D: 1..655, so that 100 times as many nonces fit 16 bits."""
    return _word("difficulty", difficulty, 1, LARGEST_DIFFICULTY)


def pack_pace(hashes_per_s):
    """Payload of P: limit of the hash rate in H/s; 0 is none."""
    return _word("pace", hashes_per_s, 0, 0xFFFF)


def pack_address(address):
    """Payload of V."""
    return _word("address", address, FIRST_ADDRESS, LAST_ADDRESS)[:1]


def pack_job(job):
    """Payload of A that clears one result."""
    return bytes([_job(job)])


def unpack_status(payload):
    """(run state, letter of the last command but S, job that runs or 0, job staged or 0, job of the result or 0,
    error or 0)"""
    state, letter, running, staged, result, error = _unpack(STATUS, payload)
    return chr(state), chr(letter), running, staged, result, error


def unpack_result(payload):
    """(job, whether found, nonce, elapsed us, hashes tried); without a nonce it is 0."""
    job, flags, nonce, elapsed, hashes = _unpack(RESULT, payload)
    return job, bool(flags & 1), nonce, elapsed, hashes


def unpack_elapsed(payload):
    """(job, elapsed us)"""
    return _unpack(ELAPSED, payload)


def unpack_identity(payload):
    """(protocol version, capabilities, clock MHz, firmware version, chip id of 8 bytes, cause of the last reset,
    largest difficulty, address)"""
    return _unpack(IDENTITY, payload)


def unpack_measures(payload):
    """(temperature in 0.1 degC or None, supply in mV or None)"""
    temperature, supply = _unpack(MEASURES, payload)
    return None if temperature == UNKNOWN_TEMPERATURE else temperature, supply or None


def unpack_refusal(payload):
    """(letter refused or "", error)"""
    letter, error = _unpack(REFUSED, payload)
    return chr(letter) if letter else "", error


def _unpack(letter, payload):
    if len(payload) != struct.calcsize(FORMATS[letter]):
        raise Invalid(
            "payload", "of %s has %d bytes, not %d" % (letter, len(payload), struct.calcsize(FORMATS[letter]))
        )
    return struct.unpack(FORMATS[letter], payload)


def _job(job):
    if not 1 <= job <= 255:
        raise Invalid("job", "%s is not allowed; use 1..255" % job)
    return job


def _word(field, value, low, high):
    if not low <= value <= high:
        raise Invalid(field, "%s is not allowed; use %d..%d" % (value, low, high))
    return struct.pack("<H", value)
