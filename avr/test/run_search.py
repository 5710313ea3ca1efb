"""Runs under yasimavr: reads `last target first limit` a line, searches with the ELF of test/search_main.c, prints
`end nonce cycles`.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "sim"))

from slave import Slave

STEP = 400  # cycles: how exactly the end is seen
FIRST, GO, END = 60, 64, 65  # offsets in `job`


def main() -> None:
    slave = Slave(sys.argv[1], 16_000_000)
    slave.run(20_000)
    job = slave.symbols["job"] & 0xFFFF
    for line in sys.stdin:
        last, target, first, limit = line.split()
        words = int(first).to_bytes(2, "little") + int(limit).to_bytes(2, "little")
        slave.probe.write_data(job, last.encode() + bytes.fromhex(target) + words + b"\1\0")
        begin = slave.cycle()
        while not slave.probe.read_data(job + END, 1)[0]:
            slave.run(STEP)
        end = slave.probe.read_data(job + END, 1)[0]
        nonce = int.from_bytes(slave.memory("search_nonce", 2), "little")
        print(end, nonce, slave.cycle() - begin, flush=True)


main()
