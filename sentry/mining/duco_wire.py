"""The text protocol of Duino-Coin pools: lines <-> values. Pure.

    pool   -> 3.0                                                  its version, at once
    client -> JOB,<user>,<tier>,<mining key or None>[,<text of a sensor>]
    pool   -> <last block hash>,<expected hash>,<difficulty>
    client -> <nonce>,<hashes per second>,<miner and version>,<rig>,<chip id>[,<wallet id>]
    pool   -> GOOD | BLOCK | BAD,<reason>

Source: the pool's public source and the official miners (4.3). Every line ends with a newline, but the official AVR
miner writes none after JOB, and some pools none after their version.
"""

import re
from dataclasses import dataclass
from math import isfinite

MOST_FIELDS = 6
MOST_SENSOR_TEXT = 48
MOST_LINE = 512

# Reasons of BAD. Those in REFUSES_WORKER are about who asks, so another share changes nothing.
INCORRECT_RESULT = "Incorrect result"
INCORRECT_DATA = "Incorrect data"
INVALID_DATA = "Invalid data"
MODIFIED_HASHRATE = "Modified hashrate"
TOO_LOW_START = "Too low starting difficulty"
TOO_HIGH_START = "Too high starting difficulty"
TOO_MANY_SHARES = "Too low difficulty"
TOO_MANY_WORKERS = "Too many workers"
BANNED = "User banned"
NO_USER = "No username specified"
REFUSES_WORKER = (TOO_MANY_WORKERS, BANNED, NO_USER)
REASONS = (
    INCORRECT_RESULT, INCORRECT_DATA, INVALID_DATA, MODIFIED_HASHRATE, TOO_LOW_START, TOO_HIGH_START, TOO_MANY_SHARES,
    *REFUSES_WORKER,
)  # fmt: skip

_VERSION = re.compile(r"\d{1,3}(\.\d{1,3}){1,2}")
_HASH = re.compile(r"[0-9a-f]{40}")
_CHIP = re.compile(r"DUCOID[0-9A-Fa-f]{16}")
_NUMBER = re.compile(r"\d{1,18}")
_FIELD = re.compile(r"([!-+\--~]([ -+\--~]*[!-+\--~])?)?")


class Malformed(ValueError):
    """A line that is not of the protocol; the text names the field and what is allowed."""


@dataclass(frozen=True, slots=True)
class Version:
    """The pool's greeting."""

    text: str


@dataclass(frozen=True, slots=True)
class JobRequest:
    """``tier``: see duco_tiers; ``key``: the mining key of the account, "" for none; ``sensor``: text for the web."""

    user: str
    tier: str = "NET"
    key: str = ""
    sensor: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """``last``, ``target``: 40 lower case hex digits; sha1(last + nonce in decimal) is to be ``target``."""

    last: str
    target: str
    difficulty: int


@dataclass(frozen=True, slots=True)
class Result:
    """``hashrate``: H/s; ``miner``: name and version; ``chip``: DUCOID and 16 hex digits, or ""."""

    nonce: int
    hashrate: float
    miner: str
    rig: str = ""
    chip: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``word``: GOOD, BLOCK or BAD; ``why``: the reason of a BAD."""

    word: str
    why: str = ""


def job_request_line(request: JobRequest) -> bytes:
    fields = ["JOB", request.user, request.tier, request.key or "None"]
    if request.sensor:
        fields.append(request.sensor[:MOST_SENSOR_TEXT])
    return _line(fields)


def work_line(work: Work) -> bytes:
    return _line([work.last, work.target, str(work.difficulty)])


def result_line(result: Result) -> bytes:
    hashrate = f"{result.hashrate:.2f}"
    return _line([str(result.nonce), hashrate, result.miner, result.rig or "None", *filter(None, [result.chip])])


def verdict_line(verdict: Verdict) -> bytes:
    return _line([verdict.word, verdict.why] if verdict.word == "BAD" else [verdict.word])


def parse_reply(line: str) -> Version | Work | Verdict:
    """What a pool says."""
    fields = _fields(line)
    if fields[0] in ("GOOD", "BLOCK", "BAD"):
        return Verdict(fields[0], ",".join(fields[1:]) if fields[0] == "BAD" else "")
    if len(fields) == 1 and _VERSION.fullmatch(fields[0]):
        return Version(fields[0])
    if len(fields) != 3:
        raise Malformed(f"reply: {line[:60]!r} must be a version, GOOD, BLOCK, BAD,<reason> or a job of 3 fields")
    last, target = fields[0].lower(), fields[1].lower()
    for name, digest in (("last block hash", last), ("expected hash", target)):
        if not _HASH.fullmatch(digest):
            raise Malformed(f"{name}: must be 40 hex digits")
    difficulty = _whole("difficulty", fields[2])
    if difficulty < 1:
        raise Malformed("difficulty: must be 1 or more")
    return Work(last, target, difficulty)


def parse_job_request(line: str) -> JobRequest:
    """What a client asks; a missing user is "" here, and a missing tier NET, as pools take it."""
    fields = _fields(line)
    if fields[0] != "JOB":
        raise Malformed(f"request: must begin with JOB, not {fields[0][:20]!r}")
    user, tier, key, sensor = [*fields[1:5], *[""] * 4][:4]
    return JobRequest(user, tier or "NET", "" if key == "None" else key, sensor[:MOST_SENSOR_TEXT])


def parse_result(line: str) -> Result:
    """What a client answers."""
    fields = _fields(line)
    if len(fields) < 3:
        raise Malformed("result: must be <nonce>,<hash rate>,<miner>[,<rig>[,<chip id>[,<wallet>]]]")
    nonce = _whole("nonce", fields[0])
    try:
        hashrate = float(fields[1])
    except ValueError:
        raise Malformed(f"hash rate: {fields[1][:20]!r} must be a number") from None
    if not isfinite(hashrate):
        raise Malformed("hash rate: must be finite")
    rig, chip = [*fields[3:5], "", ""][:2]
    if chip and not is_chip(chip):
        raise Malformed("chip id: must be DUCOID and 16 hex digits")
    return Result(nonce, hashrate, fields[2], "" if rig == "None" else rig, chip)


def is_field(text: str) -> bool:
    """Whether ``text`` can be a field: printable ASCII without a comma, no space at either end."""
    return _FIELD.fullmatch(text) is not None


def is_chip(text: str) -> bool:
    """Whether ``text`` is a chip id: DUCOID and 16 hex digits."""
    return _CHIP.fullmatch(text) is not None


def _line(fields: list[str]) -> bytes:
    for field in fields:
        if not is_field(field):
            raise Malformed(f"{field[:40]!r} must be printable ASCII without a comma")
    return (",".join(fields) + "\n").encode()


def _fields(line: str) -> list[str]:
    if len(line) > MOST_LINE:
        raise Malformed(f"line: must be at most {MOST_LINE} characters")
    fields = [field.strip() for field in line.strip().split(",")]
    if not all(map(is_field, fields)):
        raise Malformed("line: must be printable ASCII")
    if len(fields) > MOST_FIELDS and fields[0] != "BAD":
        raise Malformed(f"line: must have at most {MOST_FIELDS} fields")
    return fields


def _whole(name: str, text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise Malformed(f"{name}: {text[:20]!r} must be a whole number")
    return int(text)
