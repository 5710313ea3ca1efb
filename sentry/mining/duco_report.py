"""The figures of the gateway as telemetry: `tele/pool` of one device per worker, and of the sentry for the sum.

A worker's device is `<node>_<device>` of the gateway's own node: who the worker belongs to speaks for itself.
"""

from dataclasses import asdict, fields

from sentry.mining.duco_ledger import Figures
from sentry.mining.duco_worker import Waits, Worker
from sentry.reading import Reading, Scalar

COUNTS = tuple(each.name for each in fields(Figures))
UNITS = {
    **dict.fromkeys(COUNTS, ""), "present": "", "pool": "", "server": "", "tier": "", "difficulty": "",
    "hashrate": "H/s", "job_ms": "ms", "verdict_ms": "ms", "paced_ms": "ms",
}  # fmt: skip
SUM_UNITS = {**dict.fromkeys(COUNTS, ""), "workers": "", "present": "", "connected": "", "hashrate": "H/s"}


def reading(device: str, worker: Worker) -> Reading:
    """Figures of one worker: counts since the start, mean waits since the last reading (absent: none)."""
    waits, worker.waits = worker.waits, Waits()
    first = worker.connections[0]
    values: dict[str, Scalar] = {
        **asdict(worker.ledger.figures),
        "present": worker.present.is_set(),
        "pool": first.place,
        "server": "".join(each.state for each in worker.connections),
        "tier": first.tier,
        "difficulty": worker.difficulty,
        "hashrate": round(worker.hashrate, 1),
        "paced_ms": round(waits.paced_ms),
    }
    if waits.jobs:
        values["job_ms"] = round(waits.job_ms / waits.jobs, 1)
    if waits.verdicts:
        values["verdict_ms"] = round(waits.verdict_ms / waits.verdicts, 1)
    return Reading("pool", values, UNITS, device)


def total(workers: list[Worker]) -> Reading:
    """Sums over all workers; ``hashrate`` of those that are there."""
    figures = [asdict(each.ledger.figures) for each in workers]
    values: dict[str, Scalar] = {name: sum(each[name] for each in figures) for name in COUNTS}
    present = [each for each in workers if each.present.is_set()]
    values |= {
        "workers": len(workers),
        "present": len(present),
        "connected": sum(link.state != "D" for each in workers for link in each.connections),
        "hashrate": round(sum(each.hashrate for each in present), 1),
    }
    return Reading("pool", values, SUM_UNITS)
