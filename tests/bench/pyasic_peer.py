"""python pyasic_peer.py FIRST_HOST COUNT POLL_S SECONDS: prints the CPU, in % of one core, that pyasic needs to ask so
many ASICs every POLL_S.
"""

import asyncio
import ipaddress
import sys
import time
from typing import Any

import pyasic  # pyright: ignore[reportMissingImports]

AT_ONCE = 64


async def main(first: str, count: int, poll_s: float, seconds: float) -> None:
    hosts = [str(ipaddress.IPv4Address(first) + number) for number in range(count)]
    gate = asyncio.Semaphore(AT_ONCE)
    looks = 0

    async def found(host: str) -> Any:
        async with gate:
            return await pyasic.get_miner(host)

    miners = await asyncio.gather(*(found(host) for host in hosts))
    if not all(miners):
        sys.exit(f"found {sum(map(bool, miners))} of {count}")

    async def watch(miner: Any, after_s: float) -> None:
        nonlocal looks
        await asyncio.sleep(after_s)
        while True:
            begun = time.monotonic()
            async with gate:
                if (await miner.get_data(exclude=["config"])).hashrate:
                    looks += 1
            await asyncio.sleep(max(0.0, poll_s - (time.monotonic() - begun)))

    tasks = [asyncio.create_task(watch(miner, poll_s * n / count)) for n, miner in enumerate(miners)]
    began, before = time.monotonic(), time.process_time()
    await asyncio.sleep(seconds)
    cpu, wall = time.process_time() - before, time.monotonic() - began
    for task in tasks:
        task.cancel()
    if looks < 0.8 * count * wall / poll_s:
        print(f"only {looks} looks: more than it can do", file=sys.stderr)
    print(100 * cpu / wall)


asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])))
