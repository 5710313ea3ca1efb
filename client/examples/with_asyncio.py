"""pulse_count.py for programs with asyncio: python with_asyncio.py bitstreams/by-7.bin bitstreams/by-100.bin"""

import argparse
import asyncio
import os

from farmhand_client import AsyncPulseCountClient, PulseCountEvaluation


async def main(options: argparse.Namespace) -> None:
    async with AsyncPulseCountClient(options.url, "asyncio example", key=options.key) as client:
        serials = await client.reserve(2, wait_for_available=True, available_timeout=None)

        print("each on both boards")
        async for serial, filepath, pulses in client.evaluate_bitstreams(options.bitstreams):
            print(f"{serial} {os.path.basename(filepath)}: {pulses}")

        print("the first on both, the others on one")
        first, *others = options.bitstreams
        commands = [PulseCountEvaluation(serials, first), *(PulseCountEvaluation(serials[0], path) for path in others)]
        async for result in client.evaluate_evaluations(commands):
            print(f"{result.serial} {os.path.basename(result.evaluation.filepath)}: {result.value}")


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("bitstreams", nargs="+", help=".bin, or .asc when icepack is installed")
parser.add_argument("--url", default=os.environ.get("FARMHAND_URL", "http://127.0.0.1:8080"))
parser.add_argument("--key", help="FARMHAND_KEY unless given")
asyncio.run(main(parser.parse_args()))
