"""The messages of a mining farm: plain data, in the manner of fleet.py.

A pool gateway hands the jobs of a pool to workers (devices of a node, `avr-<address>`), and their shares to the pool.
Everything is delivered at least once, so both sides know a job by its id, which is never used again: an offer of a job
that is known already changes nothing, and a share is answered by the same verdict however often it comes.
"""

from schema.message import Message

_WORKER = "{domain}/{node}/{device}/"

# Nonces are from 1 to this times the difficulty (the pool's rule).
NONCES_PER_DIFFICULTY = 100
VERDICTS = ("GOOD", "BAD", "BLOCK", "LOST")

# The letters that a slave's telemetry shows, and what they say: how it stands with the pool, and its own run state.
SERVER_STATES = {
    "D": "disconnected",
    "C": "connected",
    "R": "asked for a job",
    "J": "has a job, not begun",
    "K": "job handed over",
    "E": "share sent",
    "F": "last share refused",
    "G": "last share accepted",
}
RUN_STATES = {"I": "idle", "B": "busy", "C": "complete: a result waits", "E": "error"}

JOB = Message(
    "job", "", "down", 1, False, "object",
    (
        ("id", "name", "", "known by it; never used again"),
        ("last", "text 40", "", "40 hex digits: the hash of the last block, with which the hashed text begins"),
        ("target", "text 40", "", "40 hex digits: sha1(last + the nonce in decimal) must be this"),
        ("difficulty", "int 1..4294967", "", "the nonce is from 1 to 100 times this"),
        ("until", "time", "ms", "the pool takes no share after this; 0: the gateway's clock is not set"),
    ),
    text="Work of a pool for one worker.",
)  # fmt: skip

VERDICT = Message(
    "verdict", "", "down", 1, False, "object",
    (
        ("id", "name", "", "the job it is about"),
        ("word", "word " + " ".join(VERDICTS), "", "the pool's word; LOST: no pool will take this job's share"),
        ("why?", "text 256", "", "reason, for people"),
    ),
    text="What became of a job.",
)  # fmt: skip

RECORDS = {message.key: message for message in (JOB, VERDICT)}

JOB_OFFER = Message(
    "job/offer", _WORKER + "job/offer", "down", 1, False, "object",
    (
        ("job?", "record job", "", "to be begun when the jobs offered before are done"),
        ("verdict?", "record verdict", "", "of an earlier job"),
    ),
    text="A job for a worker, a verdict, or both; repeated after each reconnect.",
)  # fmt: skip

JOB_SHARE = Message(
    "job/share", _WORKER + "job/share", "up", 1, False, "object",
    (
        ("ts", "time", "ms", "when it happened at the sender"),
        ("stream", "name", "", "the sender's outbox stream"),
        ("seq", "int 1..9007199254740991", "", "position in the stream, without holes"),
        ("id", "name", "", "the job"),
        ("nonce", "int 0..4294967295", "", "what was found; 0: nothing, the job was given up"),
        ("elapsed_us", "int 0..9007199254740991", "us", "time spent hashing"),
        ("hashrate", "num", "H/s", "true hash rate over that time"),
        ("chip?", "text 22", "", "DUCOID and 16 hex digits, always the same for one worker"),
    ),
    text="A worker's answer to a job.",
)  # fmt: skip

MESSAGES = {message.key: message for message in (JOB_OFFER, JOB_SHARE)}
