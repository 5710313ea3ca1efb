"""`python -m sentry.boards.virtual`: virtual boards on a folder, until SIGINT or SIGTERM."""

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from sentry.boards.virtual import tools
from sentry.boards.virtual.board import Pace
from sentry.boards.virtual.bus import DEEDS, MODELS, MOST, Bus, NotDone, Taken, ask
from sentry.boards.virtual.evaluate import CLOCK_HZ, COUNT_MS, GATE_MS


def main() -> int:
    options = read_options(sys.argv[1:])
    try:
        if options.do:
            print(json.dumps(ask(options.bus, options.do, options.serial), indent=1))
            return 0
        tools.check()
        if options.model == "micropython":
            tools.find("micropython")
        asyncio.run(serve(options))
    except (NotDone, Taken, tools.NoTool) as error:
        print(f"virtual boards: {error}", file=sys.stderr)
        return 1
    return 0


async def serve(options: argparse.Namespace) -> None:
    ended = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, ended.set)
    pace = Pace(options.count_s, options.restart_s)
    async with Bus(options.bus, options.count, pace, options.gate_ms, options.clock_hz, options.model) as bus:
        print(json.dumps({"bus": str(bus.folder), "serials": list(bus.boards)}), flush=True)
        await ended.wait()


def read_options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sentry.boards.virtual", description="virtual pico2-ice boards")
    parser.add_argument("--bus", type=Path, required=True, metavar="FOLDER", help="stands for a USB bus")
    parser.add_argument("--count", type=within(0, MOST), default=1, metavar="N", help="how many boards (1)")
    parser.add_argument("--model", choices=MODELS, default="uf2", help="what is installed on them (uf2)")
    parser.add_argument(
        "--gate-ms", type=within(1, COUNT_MS), default=GATE_MS, metavar="MS", help=f"simulated time ({GATE_MS})"
    )
    parser.add_argument(
        "--clock-hz", type=within(1_000, 48_000_000), default=CLOCK_HZ, metavar="HZ", help=f"of the FPGA ({CLOCK_HZ})"
    )
    parser.add_argument("--count-s", type=float, default=1.0, metavar="S", help="wall time of one evaluation (1)")
    parser.add_argument("--restart-s", type=float, default=0.2, metavar="S", help="off the bus at a restart (0.2)")
    parser.add_argument("--do", choices=DEEDS, help="tell the bus that runs in this folder; see --serial")
    parser.add_argument("--serial", default="", help="which board to do it to")
    return parser.parse_args(arguments)


def within(least: int, most: int):
    def number(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"must be {least} to {most}")
        return int(text)

    return number


if __name__ == "__main__":
    sys.exit(main())
