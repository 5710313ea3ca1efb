"""Variance of circuits on several boards, as CSV: python variance_csv.py bitstreams/*.bin > variance.csv

A row for each measurement; at the end each circuit's mean and standard deviation, on stderr.
"""

import argparse
import csv
import os
import statistics
import sys
from collections import defaultdict

from farmhand_client import EvaluationFailed, VarianceClient

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("bitstreams", nargs="+", help=".bin, or .asc when icepack is installed")
parser.add_argument("--boards", type=int, default=2)
parser.add_argument("--times", type=int, default=1, help="how often each is measured on each board")
parser.add_argument("--url", default=os.environ.get("FARMHAND_URL", "http://127.0.0.1:8080"))
parser.add_argument("--key", help="FARMHAND_KEY unless given")
options = parser.parse_args()

found: defaultdict[str, list[float]] = defaultdict(list)
table = csv.writer(sys.stdout, lineterminator="\n")
table.writerow(["serial", "bitstream", "variance", "problem"])
with VarianceClient(options.url, "variance example", key=options.key) as client:
    client.reserve(options.boards, wait_for_available=True, available_timeout=None)
    for serial, filepath, value in client.evaluate_bitstreams(options.bitstreams * options.times):
        name = os.path.basename(filepath)
        if isinstance(value, EvaluationFailed):
            table.writerow([serial, name, "", value.problem])
        else:
            table.writerow([serial, name, value, ""])
            found[name].append(value)

for name, values in sorted(found.items()):
    mean, deviation = statistics.mean(values), statistics.pstdev(values)
    print(f"{name}: {mean:.3f} +- {deviation:.3f}, {len(values)} times", file=sys.stderr)
