"""Traffic of all network interfaces but loopback, as rates since the reading before."""

import time

import psutil

from sentry.reading import Reading

LOOPBACK = ("lo", "Loopback Pseudo-Interface 1")
UNITS = {"rx": "B/s", "tx": "B/s", "errors": ""}


class Collector:
    def __init__(self) -> None:
        self._before = (time.monotonic(), *_totals())

    def read(self) -> list[Reading]:
        at, received, sent, errors = time.monotonic(), *_totals()
        was, received_before, sent_before, _ = self._before
        self._before = (at, received, sent, errors)
        seconds = max(at - was, 0.001)
        values = {
            # An interface that vanished takes its totals along: no rate is below nothing.
            "rx": max(0, round((received - received_before) / seconds)),
            "tx": max(0, round((sent - sent_before) / seconds)),
            "errors": errors,
        }
        return [Reading("net", values, UNITS)]


def _totals() -> tuple[int, int, int]:
    counters = [c for name, c in psutil.net_io_counters(pernic=True).items() if name not in LOOPBACK]
    return (
        sum(c.bytes_recv for c in counters),
        sum(c.bytes_sent for c in counters),
        sum(c.errin + c.errout for c in counters),
    )
