"""A board with the state of stability_state.py: python own_state/measure.py bitstreams/by-7.bin --times 5"""

import argparse
import os
import queue

from farmhand_client import AbstractEventHandler, BoardClient, register


class Counts(AbstractEventHandler):
    def __init__(self, client: BoardClient) -> None:
        super().__init__(client.server)
        self.told: queue.SimpleQueue[tuple[int, int]] = queue.SimpleQueue()

    @register("measured", "number", "pulses")
    def measured(self, number: int, pulses: int) -> None:
        self.told.put((number, pulses))


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("bitstream", help=".bin, or .asc when icepack is installed")
parser.add_argument("--times", type=int, default=3)
parser.add_argument("--url", default=os.environ.get("FARMHAND_URL", "http://127.0.0.1:8080"))
parser.add_argument("--key", help="FARMHAND_KEY unless given")
options = parser.parse_args()

with BoardClient(options.url, "own state example", key=options.key) as client:
    counts = Counts(client)
    client.add_event_handler(counts)
    args = {"times": options.times}
    (serial,) = client.reserve(1, wait_for_available=True, available_timeout=None, kind="stability", args=args)
    seen = client.console(serial)[-1].n
    differ = client.call("measure", files={"bitstream": options.bitstream})[serial]
    for _ in range(options.times):
        number, pulses = counts.told.get(timeout=60)
        print(f"{number}: {pulses}")
    print(f"they differ by {differ}; the console of {serial}:")
    for line in client.console(serial, after=seen):
        print(f"  {line.source}: {line.text}")
