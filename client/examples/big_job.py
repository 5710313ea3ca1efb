"""A folder of bitstreams, each on whichever board is free: python big_job.py bitstreams results.csv --batch first-try

Ended in the middle, by Ctrl-C or otherwise, and started again with the same --batch it goes on: what the farm has
measured already comes back at once. Change the folder's contents only under a new name.
"""

import argparse
import csv
import os
from pathlib import Path

from farmhand_client import EvaluationFailed, PulseCountClient

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("folder", type=Path)
parser.add_argument("results", type=Path, help="CSV that is written anew at each start")
parser.add_argument("--batch", required=True, help="a name for this job")
parser.add_argument("--boards", type=int, default=2)
parser.add_argument("--url", default=os.environ.get("FARMHAND_URL", "http://127.0.0.1:8080"))
parser.add_argument("--key", help="FARMHAND_KEY unless given")
options = parser.parse_args()

bitstreams = sorted(options.folder.glob("*.bin"))
with (
    PulseCountClient(options.url, f"job {options.batch}"[:64], key=options.key) as client,
    options.results.open("w", newline="") as file,
):
    client.end_all()  # what a run that was killed still has
    client.reserve(options.boards, wait_for_available=True, available_timeout=None)
    table = csv.writer(file, lineterminator="\n")
    table.writerow(["bitstream", "serial", "pulses", "problem"])
    for serial, path, value in client.evaluate_bitstreams(bitstreams, spread=True, batch=options.batch):
        failed = isinstance(value, EvaluationFailed)
        table.writerow([path.name, serial, "" if failed else value, value.problem if failed else ""])
        file.flush()
        print(f"{path.name}: {value.problem if failed else value}", flush=True)
