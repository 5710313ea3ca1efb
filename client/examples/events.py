"""What boards and their reservations tell while a job runs: python events.py bitstreams/*.bin --times 100

With spread=True a board is given back to somebody who waits for one; the rest goes on on the others.
"""

import argparse
import logging
import os
import sys

from farmhand_client import AbstractEventHandler, EvaluationFailed, PulseCountClient, register

# Handlers are called in a thread of their own: logging keeps the lines of the two apart.
logging.basicConfig(format="%(message)s", stream=sys.stdout)
log = logging.getLogger("events")
log.setLevel(logging.INFO)


class Told(AbstractEventHandler):
    @register("failure", "serial", "problem")
    def failed(self, serial: str, problem: str) -> None:
        log.info("%s fails: %s", serial, problem)

    @register("initialized", "serial")
    def usable(self, serial: str) -> None:
        log.info("%s can be used", serial)

    @register("wanted", "boards", "serials")
    def wanted(self, boards: int, serials: list[str]) -> None:
        log.info("somebody waits for %s of %s", boards, " ".join(serials))

    @register("ended", "serial", "why")
    def ended(self, serial: str, why: str) -> None:
        log.info("%s is gone: %s", serial, why)


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("bitstreams", nargs="+", help=".bin, or .asc when icepack is installed")
parser.add_argument("--times", type=int, default=10, help="how often each is evaluated")
parser.add_argument("--url", default=os.environ.get("FARMHAND_URL", "http://127.0.0.1:8080"))
parser.add_argument("--key", help="FARMHAND_KEY unless given")
options = parser.parse_args()

with PulseCountClient(options.url, "events example", key=options.key) as client:
    client.add_event_handler(Told(client.server))
    client.reserve(2, wait_for_available=True, available_timeout=None)
    for serial, path, value in client.evaluate_bitstreams(options.bitstreams * options.times, spread=True):
        shown = value.problem if isinstance(value, EvaluationFailed) else value
        log.info("%s %s: %s", serial, os.path.basename(path), shown)
