"""The ledger of a pool of our own: one line of JSON for each judged share."""

import errno
import json
import os
from typing import Any

from sentry.birth import now_ms
from sentry.mining.duco_rules import Given
from sentry.mining.duco_wire import Result, Verdict


class Judged:
    """Appends to the file at ``path``; a line is with the system when ``write`` returns, so it outlives the process.
    OSError when the file cannot be opened."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")  # a kill broke the last line off

    def write(self, worker: str, given: Given, result: Result, verdict: Verdict) -> None:
        """OSError when the disk is full: then nobody may be told that verdict."""
        line = json.dumps(line_of(now_ms(), worker, given, result, verdict)).encode() + b"\n"
        size = os.fstat(self._file).st_size
        if os.write(self._file, line) < len(line):
            os.ftruncate(self._file, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def line_of(ts: int, worker: str, given: Given, result: Result, verdict: Verdict) -> dict[str, Any]:
    """``ts``: ms since 1970, when it was judged; ``worker``: user/rig, as in the statistics; ``hashrate``: H/s."""
    work = given.work
    return {
        "ts": ts,
        "worker": worker,
        "chip": result.chip,
        "tier": given.tier,
        "last": work.last,
        "target": work.target,
        "difficulty": work.difficulty,
        "nonce": result.nonce,
        "hashrate": result.hashrate,
        "verdict": verdict.word,
        "why": verdict.why,
    }
