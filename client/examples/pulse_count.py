"""Pulses of circuits in a second, on two boards: python pulse_count.py bitstreams/by-7.bin bitstreams/by-100.bin"""

import argparse
import atexit
import logging
import os

from farmhand_client import PulseCountClient, PulseCountEvaluation

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("bitstreams", nargs="+", help=".bin, or .asc when icepack is installed")
parser.add_argument("--url", default=os.environ.get("FARMHAND_URL", "http://127.0.0.1:8080"))
parser.add_argument("--key", help="FARMHAND_KEY unless given")
options = parser.parse_args()

client = PulseCountClient(options.url, "pulse count example", logging.getLogger(__name__), key=options.key)
atexit.register(client.end_all)
client.reserve(2, wait_for_available=True, available_timeout=None)

print("each on both boards")
for serial, filepath, pulses in client.evaluate_bitstreams(options.bitstreams):
    print(f"{serial} {os.path.basename(filepath)}: {pulses}")

print("the first on both, the others on one")
serials = client.get_serials()
first, *others = options.bitstreams
commands = [PulseCountEvaluation(serials, first), *(PulseCountEvaluation(serials[0], path) for path in others)]
for result in client.evaluate_evaluations(commands):
    print(f"{result.serial} {os.path.basename(result.evaluation.filepath)}: {result.value}")
